// What Shiny has no part for. Loaded before Shiny is, so everything waits for the page.
const clickstream = {
  // Makes a table's cell a button that tells Shiny which row was chosen; a click on the rest of the row does too.
  choosable(cell, escaped, input) {
    const key = new DOMParser().parseFromString(escaped, "text/html").documentElement.textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-link choose";
    button.textContent = cell.textContent;
    cell.replaceChildren(button);
    cell.parentElement.classList.add("choosable");
    cell.parentElement.addEventListener("click", () => Shiny.setInputValue(input, key, { priority: "event" }));
  },
};

document.addEventListener("DOMContentLoaded", () => {
  // Shiny's styles ask of an element whether it ":has(> *)". That makes Chromium look at the whole page's styles again
  // whenever any element comes or goes, and a chart measures each of its labels that way: most of a click's time.
  // Whether it is empty says the same for less.
  for (const sheet of document.styleSheets) {
    for (const rule of sheet.cssRules) {
      if (rule.selectorText?.includes(":has(> *)")) {
        rule.selectorText = rule.selectorText.replaceAll(":has(> *)", ":not(:empty)");
      }
    }
  }

  // The browser's own date fields as inputs.
  class DayInput extends Shiny.InputBinding {
    find(scope) { return $(scope).find("input.day-input"); }
    getValue(element) { return element.value || null; }
    setValue(element, value) { element.value = value || ""; }
    receiveMessage(element, message) { this.setValue(element, message.value); $(element).trigger("change"); }
    subscribe(element, callback) { $(element).on("change.day", () => callback(true)); }
    unsubscribe(element) { $(element).off(".day"); }
    getRatePolicy() { return { policy: "debounce", delay: 400 }; } // a year is typed digit by digit
  }
  Shiny.inputBindings.register(new DayInput(), "clickstream.day");

  // Links within the page move the keyboard. As a step in the history, each would be taken for going back (below).
  document.querySelectorAll("a.skip").forEach((link) => link.addEventListener("click", (event) => {
    event.preventDefault();
    document.querySelector(link.hash).focus();
  }));

  // Draws a chart again when its place has another size than it was drawn for.
  const places = new ResizeObserver((entries) => entries.forEach(({ target }) => {
    const { width, height } = target._fullLayout ?? {}; // nothing is drawn yet
    const differs = Math.abs(width - target.clientWidth) >= 1 || Math.abs(height - target.clientHeight) >= 1;
    if (differs && target.offsetParent !== null) Plotly.Plots.resize(target);
  }));
  $(document).on("shiny:value", ({ target }) => {
    if (target.matches(".plotly")) places.observe(target);
  });

  // Leads to what somebody's choice filled: for the eye, and for the keyboard.
  Shiny.addCustomMessageHandler("lead_to", (id) => {
    const place = document.getElementById(id);
    place.scrollIntoView({ block: "nearest", behavior: "smooth" });
    place.focus({ preventScroll: true });
  });

  // Going back shows the view that the address then says.
  window.addEventListener("popstate", () => {
    Shiny.setInputValue("went_back", window.location.search, { priority: "event" });
  });
});
