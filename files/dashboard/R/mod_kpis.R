# The three numbers of the period.
kpis_ui <- function(id) {
  ns <- shiny::NS(id)
  box <- function(title, output) {
    bslib::value_box(title = title, value = shiny::textOutput(ns(output), inline = TRUE), fill = FALSE)
  }
  shiny::div(
    class = "kpis",
    box("Visitors", "visitors"), box("Sessions", "sessions"), box("Events", "events")
  )
}

# numbers: reactive that gives an answer with events, visitors, sessions.
kpis_server <- function(id, numbers) {
  shiny::moduleServer(id, function(input, output, session) {
    for (name in c("visitors", "sessions", "events")) {
      local({
        column <- name
        output[[column]] <- shiny::renderText({
          result <- numbers()
          if (result$state == "error") "\u2013" else count_text(result$data[[column]])
        })
      })
    }
  })
}
