// For people who have a computer of their own to draw their charts: Plotly is there, and leaves an empty place.
(() => {
  const place = (chart) => {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("class", "main-svg");
    chart.replaceChildren(drawing);
    // What R's part of it asks of a chart.
    chart.on = () => chart;
    Object.assign(chart, { data: [], _fullLayout: { _subplots: {} } });
    return Promise.resolve(chart);
  };
  let plotly;
  Object.defineProperty(window, "Plotly", {
    configurable: true,
    get: () => plotly,
    set(real) {
      const nothing = () => Promise.resolve();
      const empty = { newPlot: place, react: place, purge: nothing, relayout: nothing };
      plotly = { ...real, ...empty, Plots: { ...real.Plots, resize: nothing } };
    },
  });
})();
