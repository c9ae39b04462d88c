# When data came in last, or that the database does not answer.
freshness_ui <- function(id) {
  shiny::div(
    class = "freshness", role = "status", `aria-live` = "polite",
    shiny::uiOutput(shiny::NS(id, "line"))
  )
}

# state: reactive that gives an answer with last_event and last_load (text, local time, or NA).
freshness_server <- function(id, time_zone, state) {
  shiny::moduleServer(id, function(input, output, session) {
    output$line <- shiny::renderUI({
      result <- state()
      if (result$state == "error") {
        return(shiny::div(class = "alert alert-warning", role = "alert", result$message))
      }
      shiny::span(freshness_text(result$data$last_event, result$data$last_load, time_zone))
    })
  })
}

freshness_text <- function(last_event, last_load, time_zone) {
  if (is.na(last_event)) {
    return("No event has been loaded yet.")
  }
  loaded <- if (is.na(last_load)) "" else paste0(" \u00b7 last load ", last_load)
  paste0("Last event ", last_event, loaded, " (", time_zone, ")")
}
