# The first page: KPIs, revenue over time, and events over time, by kind and by hour.
overview_page <- function() {
  list(id = "overview", title = "Overview", ui = overview_ui, server = overview_server, params = list())
}

overview_ui <- function(id, params) {
  ns <- shiny::NS(id)
  shiny::tagList(
    kpis_ui(ns("kpis")),
    chart_card_ui(
      ns("revenue"), "Revenue over time",
      "By when the order was completed. Orders in another currency than the shop's are not in it: they are on Data quality."
    ),
    bslib::layout_columns(
      col_widths = bslib::breakpoints(xs = 12, lg = c(8, 4)),
      chart_card_ui(ns("events_over_time"), "Events over time", "Events by when they happened."),
      chart_card_ui(ns("events_by_login_state"), "Events by login state", "The login state that each event carries.")
    ),
    bslib::layout_columns(
      col_widths = bslib::breakpoints(xs = 12, lg = c(5, 7)),
      chart_card_ui(ns("event_mix"), "Event mix", "What people did, the most frequent first.", height = "380px"),
      chart_card_ui(
        ns("activity"), "Activity by hour and weekday", "Events by the hour at which they happened: the darker, the more.",
        height = "380px"
      )
    )
  )
}

overview_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    kpis_server("kpis", context)

    unit <- shiny::reactive(bucket_of(context$filters()))
    over_time <- function(query, is_empty) {
      shiny::reactive(with_previous_buckets(
        context$query(query, unit(), is_empty = is_empty),
        context$query(query, unit(), is_empty = is_empty, previous = TRUE),
        context$filters()
      ))
    }
    chart_card_server(
      "revenue", context, over_time("orders_over_time", function(data) sum(data$orders) == 0),
      draw = function(data) revenue_chart(data, unit()),
      describe = function(data) over_time_text(data, "revenue", unit(), function(sum) money_text(sum, currency_of(data))),
      empty = "No order in this period."
    )

    no_events <- function(data) sum(data$events) == 0
    chart_card_server(
      "events_over_time", context, over_time("events_by_time", no_events),
      draw = function(data) over_time_chart(data, "events", unit(), "Events"),
      describe = function(data) over_time_text(data, "events", unit(), function(sum) paste(count_text(sum), "events"))
    )

    compared <- function(query, by) {
      shiny::reactive(with_previous_rows(context$query(query), context$query(query, previous = TRUE), by, "events"))
    }
    chart_card_server(
      "event_mix", context, compared("events_by_name", "event_name"),
      draw = function(data) counts_chart(data, data$event_name),
      describe = function(data) counts_text(data$event_name, data$events)
    )
    chart_card_server(
      "events_by_login_state", context, compared("events_by_login_state", "login_state"),
      draw = function(data) counts_chart(data, login_state_text(data$login_state)),
      describe = function(data) counts_text(login_state_text(data$login_state), data$events)
    )

    chart_card_server(
      "activity", context, shiny::reactive(context$query("events_by_weekday", is_empty = no_events)),
      draw = activity_chart, describe = activity_text
    )
  })
}
