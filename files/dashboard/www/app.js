// What Shiny has no part for. Loaded before Shiny is, so everything waits for the page.
document.addEventListener("DOMContentLoaded", () => {
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

  // Going back shows the view that the address then says.
  window.addEventListener("popstate", () => {
    Shiny.setInputValue("went_back", window.location.search, { priority: "event" });
  });
});
