# Events by name.
event_mix_ui <- function(id) {
  chart_card("Event mix", plotly::plotlyOutput(shiny::NS(id, "chart"), height = "320px"))
}

# names: reactive that gives an answer with event_name, events.
event_mix_server <- function(id, names) {
  shiny::moduleServer(id, function(input, output, session) {
    output$chart <- plotly::renderPlotly(event_mix_chart(answered(names())))
  })
}
