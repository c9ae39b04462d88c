// Replaces Plotly by functions that put an empty drawing into the page: the browser does everything but draw charts.
(() => {
  const place = (chart) => {
    const drawing = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    drawing.setAttribute("class", "main-svg");
    chart.replaceChildren(drawing);
    // What the R package plotly uses of a chart.
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
