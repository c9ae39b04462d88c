// In each person's page: when a click happened, and when what it asked for was there. See people.py.
window.clickstreamBench = (() => {
  // In milliseconds of the page's clock, which begins with the navigation.
  let clicked = 0;
  let armed = false;
  let changes = 0;
  let drawn = 0;
  let answered = 0;
  let waits = false;

  // The time of the first event after arm(): the one that a person's hand makes.
  const click = (event) => {
    if (armed) {
      clicked = event.timeStamp;
      armed = false;
    }
  };
  addEventListener("click", click, true);
  addEventListener("change", click, true);

  // Whatever changes on the page, but for the line that counts the minutes since the last load, and messages that are
  // put into the same place again and again.
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

  // Whether the server says that this view is what the page is about: it writes the address and the heading.
  const isAbout = (view) => {
    const said = new URLSearchParams(location.search);
    const names = { page: "page", period: "period", login_state: "state", category: "category", brand: "brand" };
    if (Object.entries(names).some(([name, short]) => (said.get(short) ?? "") !== view[name])) return false;
    if ((said.get("compare") === "1") !== view.compare) return false;
    const [title, ...more] = (document.getElementById("heading-title")?.textContent ?? "").split(" \u00b7 ");
    const days = about.match(/\d{4}-\d\d-\d\d/g) ?? [];
    if ((Date.parse(days[1] ?? days[0]) - Date.parse(days[0])) / DAY + 1 !== Number(view.period)) return false;
    const expected = [view.compare, view.login_state, view.category, view.brand].filter(Boolean).length;
    return more.length === expected && more.some((text) => text.startsWith("compared with")) === view.compare
      && [view.category, view.brand].every((name) => !name || more.includes(name));
  };

  // Whether every chart and table of the page is there, or says why it is not.
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
    const said = [...document.querySelectorAll(".shiny-output-error, .kpis-error, .alert")].filter(visible);
    return said.map((element) => element.textContent).find((text) => text.includes("tries again by itself")) ?? "";
  };

  // Shiny answers a question that it does not know too, after all that was asked before.
  const answer = () => new Promise((resolve) => Shiny.shinyapp.makeRequest("bench", [], resolve, resolve));
  const frame = () => new Promise(requestAnimationFrame);
  const pause = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));

  return {
    // The next click is the one to measure.
    arm() {
      armed = true;
      clicked = answered = drawn = 0;
    },

    // Resolves to {answered, drawn, fault} once the view is shown and nothing more is to come.
    async complete(view, limit) {
      for (;;) {
        const problem = fault();
        if (problem) return { fault: problem };
        if (performance.now() - clicked > limit) return { fault: "not complete in time" };
        if (!isComplete(view)) {
          await pause(25);
          continue;
        }
        // Inputs that are sent in a moment are before the first question, what they change is before the second.
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
