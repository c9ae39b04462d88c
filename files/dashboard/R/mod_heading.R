# The page's heading: period and filters in words, how fresh the data is, and whether the database answers.
# title: the heading to start with, so that nothing moves when the server's comes.
heading_ui <- function(id, title) {
  ns <- shiny::NS(id)
  shiny::div(
    id = "content", class = "heading", tabindex = "-1",
    shiny::h1(shiny::span(title, id = ns("title"), class = "shiny-text-output"), class = "h5"),
    shiny::div(class = "freshness", role = "status", `aria-live` = "polite", shiny::uiOutput(ns("freshness")))
  )
}

# filters: reactive (context$filters of page.R). freshness: reactive that gives a result of freshness.sql.
heading_server <- function(id, settings, filters, freshness) {
  shiny::moduleServer(id, function(input, output, session) {
    output$title <- shiny::renderText(describe_filters(filters()))
    output$freshness <- shiny::renderUI({
      result <- freshness()
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

# Period and filters in words, separated by dots.
describe_filters <- function(filters) {
  login_state <- names(LOGIN_STATES)[match(filters$login_state, LOGIN_STATES)]
  parts <- c(
    describe_period(filters),
    if (!is.null(filters$previous)) paste("compared with", describe_period(filters$previous)),
    if (filters$login_state != "") tolower(login_state),
    if (filters$category != "") filters$category,
    if (filters$brand != "") filters$brand
  )
  paste(parts, collapse = " \u00b7 ")
}

freshness_text <- function(data, time_zone) {
  if (is.na(data$last_event)) {
    return("No event has been loaded yet.")
  }
  loaded <- if (is.na(data$last_load)) "" else paste0(" \u00b7 last load ", data$last_load)
  paste0("Last event ", data$last_event, loaded, " (", time_zone, ")")
}

# Whether the last load is older than it may be. Before the first load nothing is.
is_stale <- function(data, stale_minutes) {
  !is.na(data$minutes_since_load) && data$minutes_since_load > stale_minutes
}

stale_text <- function(data) {
  paste0("\u26a0 Nothing has been loaded for ", duration_text(round(data$minutes_since_load) * 60), ": these numbers are old. ")
}
