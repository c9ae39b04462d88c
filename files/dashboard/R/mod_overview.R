# The first page.
overview_page <- function() {
  list(id = "overview", title = "Overview", ui = overview_ui, server = overview_server, own = list())
}

overview_ui <- function(id, own) {
  ns <- shiny::NS(id)
  shiny::tagList(
    chart_card_ui(ns("events_over_time"), "Events over time", "Events by their own time.")
  )
}

overview_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    unit <- shiny::reactive(bucket_of(context$filters()))
    over_time <- shiny::reactive({
      context$about("events_by_time", unit(), is_empty = function(data) sum(data$events) == 0)
    })
    chart_card_server(
      "events_over_time", context, over_time,
      draw = function(data) plotly::plot_ly(data, x = ~bucket, y = ~events, type = "bar"),
      describe = function(data) paste(count_text(sum(data$events)), "events.")
    )
  })
}
