# The period's KPIs, each with its change and its course over time.

# column: of totals.sql and totals_over_time.sql, or of order_totals.sql and orders_over_time.sql. text: the function that
# makes text of it. rate: whether its change is given in percentage points.
KPIS <- list(
  list(column = "revenue", title = "Revenue", text = "money_text", rate = FALSE,
       help = "What the orders of the period brought. With a category or brand, such items alone."),
  list(column = "orders", title = "Orders", text = "count_text", rate = FALSE,
       help = "Completed checkouts; the same order id counts once."),
  list(column = "average_order_value", title = "Average order value", text = "money_text", rate = FALSE,
       help = "Of the orders whose value is known."),
  list(column = "units", title = "Units", text = "count_text", rate = FALSE,
       help = "Pieces that were bought with these orders."),
  list(column = "visitors", title = "Visitors", text = "count_text", rate = FALSE,
       help = "Different visitors whose session began in the period."),
  list(column = "sessions", title = "Sessions", text = "count_text", rate = FALSE,
       help = "Visits that began in the period; 30 quiet minutes end one."),
  list(column = "page_views", title = "Page views", text = "count_text", rate = FALSE,
       help = "With a category or brand, those of its sessions. Bots are left out everywhere."),
  list(column = "mean_seconds", title = "Session length", text = "duration_text", rate = FALSE,
       help = "From the first to the last event of a session, on average."),
  list(column = "conversion_rate", title = "Conversion rate", text = "rate_text", rate = TRUE,
       help = "Sessions with a completed checkout, of all sessions."),
  list(column = "cart_rate", title = "Add-to-cart rate", text = "rate_text", rate = TRUE,
       help = "Sessions with something put into the cart, of all sessions."),
  list(column = "bounce_rate", title = "Bounce rate", text = "rate_text", rate = TRUE,
       help = "Sessions with one page seen at most and nothing put into the cart or bought, of all sessions.")
)

kpis_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::tags$section(
    class = "kpis-section", `aria-labelledby` = ns("title"),
    shiny::div(
      class = "kpis-head",
      shiny::h2("Numbers of the period", id = ns("title"), class = "h6 mb-0"),
      csv_link(ns("csv"), "Numbers of the period"),
      csv_link(ns("csv_over_time"), "Numbers over time", "CSV over time"),
      shiny::span(class = "kpis-error", shiny::textOutput(ns("problem"), inline = TRUE))
    ),
    # Empty cards until the KPIs are there.
    shiny::uiOutput(ns("cards"), container = function(...) {
      shiny::div(..., shiny::div(class = "kpis", lapply(KPIS, kpi_card, ns)))
    })
  )
}

kpis_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    unit <- shiny::reactive(bucket_of(context$filters()))
    totals <- function(previous) {
      with_orders(context$query("totals", previous = previous), context$query("order_totals", "", previous = previous))
    }
    current <- shiny::reactive(totals(FALSE))
    previous <- shiny::reactive(totals(TRUE))
    over_time <- shiny::reactive(
      with_orders(context$query("totals_over_time", unit()), context$query("orders_over_time", unit()))
    )

    output$problem <- shiny::renderText({
      if (current()$state == "error") {
        current()$message
      } else if (!is.null(previous()) && context$filters()$to >= today_in(context$time_zone)) {
        "Today is not over: the previous period has more hours."
      } else {
        ""
      }
    })
    # One output for all cards: each output costs server and browser more than its content. Made once for all visitors who
    # look at the same.
    output$cards <- shiny::bindCache(
      shiny::renderUI(shiny::div(class = "kpis", lapply(KPIS, function(kpi) {
        filled_kpi_card(kpi, session$ns, current()$data, previous(), over_time()$data, unit())
      }))),
      session$ns("cards"), current(), previous(), over_time(), unit(),
      cache = "app"
    )

    output$csv <- csv_handler(context, "kpis", shiny::reactive(kpis_of_periods(current(), previous(), context$filters())))
    output$csv_over_time <- csv_handler(context, "kpis_over_time", over_time)
  })
}

kpi_card <- function(kpi, ns, value = NULL, change = NULL, line = NULL) {
  part <- function(name, content) {
    shiny::div(class = paste0("kpi-", name), id = ns(paste(kpi$column, name, sep = "_")), content)
  }
  shiny::div(class = "card kpi", shiny::div(
    class = "card-body",
    shiny::h3(kpi$title, class = "kpi-title"),
    part("value", value), part("change", change), part("line", line),
    shiny::p(kpi$help, class = "help")
  ))
}

# current, over_time: data of totals.sql and totals_over_time.sql, NULL where they could not be counted. previous: the result
# of the previous period, NULL while nothing is compared.
filled_kpi_card <- function(kpi, ns, current, previous, over_time, unit) {
  currency <- c(current$currency, over_time$currency, NA)[1]
  text <- if (kpi$text == "money_text") function(amount) money_text(amount, currency) else match.fun(kpi$text)
  of <- function(data) if (is.null(data)) NA else data[[kpi$column]]
  values <- of(over_time)
  kpi_card(
    kpi, ns,
    value = if (kpi$text == "money_text") money_ui(of(current), currency) else text(of(current)),
    change = if (!is.null(previous)) {
      change_ui(change_of(of(current), of(previous$data), kpi$rate), text(of(previous$data)))
    },
    line = sparkline(values, sparkline_text(kpi$title, over_time$bucket, values, unit, text))
  )
}

# An amount with its currency beside it, in small letters: there may be many digits.
money_ui <- function(amount, currency) {
  shiny::tagList(amount_text(amount, currency), if (!is.na(amount)) shiny::span(currency, class = "kpi-unit"))
}

# The numbers of sessions and those of orders in one result, NULL where nothing is compared.
with_orders <- function(numbers, orders) {
  for (result in list(numbers, orders)) if (is.null(result) || result$state == "error") return(result)
  numbers$data <- merge(numbers$data, orders$data[names(orders$data) != "value"], all = TRUE) # by bucket, where they have one
  numbers
}

# The KPIs of both periods as rows, for the download.
kpis_of_periods <- function(current, previous, filters) {
  row <- function(result, period) cbind(first_day = format(period$from), last_day = format(period$to), result$data)
  if (current$state == "error" || is.null(previous)) {
    current$data <- if (!is.null(current$data)) row(current, filters)
    return(current)
  }
  if (previous$state == "error") {
    return(previous)
  }
  list(state = "ok", data = rbind(row(current, filters), row(previous, filters$previous)), message = NULL)
}

# change: of change_of(). The arrow says the same as the word that is read aloud.
change_ui <- function(change, previous) {
  shiny::tagList(
    shiny::span(change$arrow, `aria-hidden` = "true"),
    shiny::span(change$word, class = "visually-hidden"),
    shiny::span(change$text),
    shiny::div(paste("from", previous), class = "kpi-previous")
  )
}
