# Raw objects that are not loaded yet, and those that could not be read or loaded.
quality_waiting_ui <- function(id) {
  ns <- shiny::NS(id)
  table_card_ui(ns("failures"), "Objects waiting", shiny::textOutput(ns("summary"), inline = TRUE))
}

quality_waiting_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    output$summary <- shiny::renderText(waiting_text(require_data(context$query("objects_waiting"))))
    table_card_server(
      "failures", context, shiny::reactive(context$query("object_failures")),
      columns = c(
        "Object" = "object_key", "Attempts" = "attempts", "Error" = "error", "First" = "first_failed",
        "Last" = "last_failed"
      ),
      texts = list(attempts = count_text, first_failed = moment_text, last_failed = moment_text),
      empty = "Every object that was listed could be read and loaded."
    )
  })
}

waiting_text <- function(data) {
  left <- if (is.na(data$objects_left)) {
    "No run of the ETL has finished yet."
  } else {
    paste0("Objects that the last run left for the next: ", count_text(data$objects_left), ".")
  }
  paste0(
    left, " Could not be read, and are tried again: ", count_text(data$objects_failed),
    ". Set aside, because the warehouse failed on them: ", count_text(data$objects_set_aside), "."
  )
}
