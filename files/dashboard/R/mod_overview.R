# The first page: three numbers, events over time, event mix.
overview_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::tagList(
    shiny::h1(shiny::textOutput(ns("period"), inline = TRUE), class = "h4"),
    freshness_ui(ns("freshness")),
    kpis_ui(ns("kpis")),
    bslib::layout_columns(
      col_widths = bslib::breakpoints(lg = c(7, 5), xs = 12),
      events_over_time_ui(ns("events_over_time")),
      event_mix_ui(ns("event_mix"))
    )
  )
}

# period, tick: reactives.
overview_server <- function(id, time_zone, database, queries, period, tick) {
  shiny::moduleServer(id, function(input, output, session) {
    # One question about the period: days and time zone are bound, with more parameters after them.
    about <- function(sql, ..., is_empty = function(data) nrow(data) == 0) {
      tick()
      answer(database$ask(sql, period()$from, period()$to, time_zone, ...), is_empty)
    }
    numbers <- shiny::reactive(about(queries$kpis))
    buckets <- shiny::reactive({
      about(queries$events_over_time, bucket_of(period()), is_empty = function(data) sum(data$events) == 0)
    })
    names <- shiny::reactive(about(queries$event_mix))
    state <- shiny::reactive({
      tick()
      answer(database$ask(queries$freshness, time_zone))
    })

    output$period <- shiny::renderText(describe_period(period()))
    freshness_server("freshness", time_zone, state)
    kpis_server("kpis", numbers)
    events_over_time_server("events_over_time", period, buckets)
    event_mix_server("event_mix", names)
  })
}
