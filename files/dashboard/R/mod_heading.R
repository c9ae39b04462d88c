# What the page is about, in words, and how fresh it is; also that the database does not answer.
# about: the heading to start with, so that nothing moves when the server's comes.
heading_ui <- function(id, about) {
  ns <- shiny::NS(id)
  shiny::div(
    id = "content", class = "heading", tabindex = "-1",
    shiny::h1(shiny::span(about, id = ns("about"), class = "shiny-text-output"), class = "h5"),
    shiny::div(class = "freshness", role = "status", `aria-live` = "polite", shiny::uiOutput(ns("freshness")))
  )
}

# chosen: reactive of page.R; state: reactive that gives an answer of freshness.sql.
heading_server <- function(id, settings, chosen, state) {
  shiny::moduleServer(id, function(input, output, session) {
    output$about <- shiny::renderText(describe_filters(chosen()))
    output$freshness <- shiny::renderUI({
      result <- state()
      if (result$state == "error") {
        return(warning_box(result$message))
      }
      line <- shiny::span(freshness_text(result$data, settings$time_zone))
      if (is_stale(result$data, settings$stale_minutes)) warning_box(stale_text(result$data), line) else line
    })
  })
}

warning_box <- function(...) {
  shiny::div(class = "alert alert-warning", role = "alert", ...)
}

# The period and what is filtered, as a sentence without an end.
describe_filters <- function(chosen) {
  state <- names(LOGIN_STATES)[match(chosen$login_state, LOGIN_STATES)]
  said <- c(
    describe_period(chosen),
    if (!is.null(chosen$previous)) paste("compared with", describe_period(chosen$previous)),
    if (chosen$login_state != "") tolower(state),
    if (chosen$category != "") chosen$category,
    if (chosen$brand != "") chosen$brand
  )
  paste(said, collapse = " \u00b7 ")
}

freshness_text <- function(data, time_zone) {
  if (is.na(data$last_event)) {
    return("No event has been loaded yet.")
  }
  loaded <- if (is.na(data$last_load)) "" else paste0(" \u00b7 last load ", data$last_load)
  paste0("Last event ", data$last_event, loaded, " (", time_zone, ")")
}

# Whether the last load is so long ago that something must be wrong. Before the first load nothing is.
is_stale <- function(data, stale_minutes) {
  !is.na(data$minutes_since_load) && data$minutes_since_load > stale_minutes
}

stale_text <- function(data) {
  paste0("\u26a0 Nothing has been loaded for ", duration_text(round(data$minutes_since_load) * 60), ": these numbers are old. ")
}
