// Runs in each person's page: measures the time from a click to its last change. See people.py.
window.clickstreamBench = (() => {
  // In milliseconds of the page's clock, which begins with the navigation.
  let clicked = 0;
  let armed = false;
  let changes = 0;
  let drawn = 0;
  let answered = 0;
  let waits = false;

  // The time of the first event after arm(): the click that is measured.
  const click = (event) => {
    if (armed) {
      clicked = event.timeStamp;
      armed = false;
    }
  };
  addEventListener("click", click, true);
  addEventListener("change", click, true);

  // All changes of the page, except the line that counts the minutes since the last load, and error messages that are
  // written again with the same text.
  const matters = ({ target }) =>
    !(target.nodeType === Node.ELEMENT_NODE ? target : target.parentElement)?.closest(".freshness, .htmlwidgets-error");
  const watch = () => new MutationObserver((records) => {
    if (!records.some(matters)) return;
    changes += 1;
    if (waits) return;
    waits = true;
    requestAnimationFrame(() => { waits = false; drawn = performance.now(); });
  }).observe(document.body, { childList: true, subtree: true, attributes: true, characterData: true });
  document.addEventListener("DOMContentLoaded", () => {
    watch();
    jQuery(document).on("shiny:value shiny:error", () => { answered = performance.now(); });
  });

  const DAY = 86400000;
  const visible = (element) => element.offsetParent !== null;

  // Whether the page shows this view: the server writes the URL and the heading.
  const isAbout = (view) => {
    const parameters = new URLSearchParams(location.search);
    const names = { page: "page", period: "period", login_state: "state", category: "category", brand: "brand" };
    if (Object.entries(names).some(([name, short]) => (parameters.get(short) ?? "") !== view[name])) return false;
    if ((parameters.get("compare") === "1") !== view.compare) return false;
    const [title, ...more] = (document.getElementById("heading-title")?.textContent ?? "").split(" \u00b7 ");
    const days = title.match(/\d{4}-\d\d-\d\d/g) ?? [];
    if ((Date.parse(days[1] ?? days[0]) - Date.parse(days[0])) / DAY + 1 !== Number(view.period)) return false;
    const expected = [view.compare, view.login_state, view.category, view.brand].filter(Boolean).length;
    return more.length === expected && more.some((text) => text.startsWith("compared with")) === view.compare
      && [view.category, view.brand].every((name) => !name || more.includes(name));
  };

  // Whether every chart and table of the page is filled or shows an error.
  const isFilled = (pane) => [...pane.querySelectorAll(".html-widget-output")].every((output) =>
    Shiny.shinyapp.$errors[output.id] || output.querySelector(".main-svg, tbody tr"));

  const isComplete = (view) => {
    const pane = document.querySelector(".tab-pane.active");
    return Boolean(window.Shiny?.shinyapp?.isConnected?.())
      && !document.documentElement.classList.contains("shiny-busy")
      && pane?.dataset.value === view.page && isAbout(view) && isFilled(pane)
      && jQuery.active === 0 && ![...document.querySelectorAll(".recalculating")].some(visible);
  };

  const fault = () => {
    if (document.getElementById("shiny-disconnected-overlay")) return "disconnected";
    const messages = [...document.querySelectorAll(".shiny-output-error, .kpis-error, .alert")].filter(visible);
    return messages.map((element) => element.textContent).find((text) => text.includes("tries again by itself")) ?? "";
  };

  // Shiny answers requests in their order, an unknown one too: its answer comes after those of all earlier ones.
  const answer = () => new Promise((resolve) => Shiny.shinyapp.makeRequest("bench", [], resolve, resolve));
  const frame = () => new Promise(requestAnimationFrame);
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  return {
    // Measure the next click.
    arm() {
      armed = true;
      clicked = answered = drawn = 0;
    },

    // Resolves to {answered, drawn, fault} once the view is shown and no further change is due.
    async complete(view, limit) {
      for (;;) {
        const problem = fault();
        if (problem) return { fault: problem };
        if (performance.now() - clicked > limit) return { fault: "not complete in time" };
        if (!isComplete(view)) {
          await pause(25);
          continue;
        }
        // Inputs that are about to be sent come before the first request, and what they change before the second.
        const before = changes;
        await pause(0);
        await answer();
        await answer();
        await frame();
        await frame();
        if (changes === before && isComplete(view)) {
          const since = (time) => Math.max(0, time - clicked);
          return { answered: since(answered), drawn: since(drawn), fault: "" };
        }
      }
    },
  };
})();
