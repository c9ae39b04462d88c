# Events by hour or day.
events_over_time_ui <- function(id) {
  chart_card("Events over time", plotly::plotlyOutput(shiny::NS(id, "chart"), height = "320px"))
}

# period: reactive; buckets: reactive that gives an answer with bucket, events.
events_over_time_server <- function(id, period, buckets) {
  shiny::moduleServer(id, function(input, output, session) {
    output$chart <- plotly::renderPlotly(events_over_time_chart(answered(buckets()), bucket_of(period())))
  })
}
