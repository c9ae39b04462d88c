# The filters that every page has.
filters_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::tagList(
    shiny::selectInput(
      ns("period"), "Period",
      choices = c(period_presets, "Custom" = "custom"), selected = 7, selectize = FALSE
    ),
    shiny::conditionalPanel(
      "input.period === 'custom'",
      shiny::dateRangeInput(ns("dates"), "From and to", weekstart = 1),
      ns = ns
    )
  )
}

# Returns a reactive: list(from, to), days of the time zone.
# tick: reactive that the period depends on, so that "today" moves on at midnight.
filters_server <- function(id, time_zone, tick) {
  shiny::moduleServer(id, function(input, output, session) {
    shiny::updateDateRangeInput(session, "dates", start = today_in(time_zone) - 6, end = today_in(time_zone))
    today <- shiny::reactive({
      tick()
      today_in(time_zone)
    })
    shiny::reactive({
      period <- chosen_period(input$period, input$dates, today())
      shiny::req(period)
    })
  })
}
