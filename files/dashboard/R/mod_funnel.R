# The funnel from product view to purchase: how many reach each step, and how long they take.
funnel_page <- function() {
  list(
    id = "funnel", title = "Funnel", ui = funnel_ui, server = funnel_server,
    params = list(by = unname(FUNNEL_UNITS), split = unname(FUNNEL_SPLITS))
  )
}

FUNNEL_UNITS <- c("Sessions" = "session", "Visitors" = "visitor")
FUNNEL_QUERIES <- c(session = "funnel_sessions", visitor = "funnel_visitors")
FUNNEL_SPLITS <- c("Login state" = "login_state", "Category" = "category", "Brand" = "brand")

funnel_ui <- function(id, params) {
  ns <- shiny::NS(id)
  select <- function(name, label, choices) {
    shiny::selectInput(ns(name), label, choices, selected = params[[name]], selectize = FALSE)
  }
  shiny::tagList(
    shiny::div(class = "controls", select("by", "Count", FUNNEL_UNITS), select("split", "Split by", FUNNEL_SPLITS)),
    bslib::layout_columns(
      col_widths = bslib::breakpoints(xs = 12, lg = c(6, 6)),
      chart_card_ui(
        ns("steps"), "From view to purchase",
        paste(
          "Product view, add to cart, checkout started, checkout completed: a step counts once the step before was",
          "reached. Sessions: all in one session. Visitors: over all sessions of the visitor that began in the period."
        )
      ),
      table_card_ui(
        ns("losses"), "Losses and times between steps",
        paste(
          "Lost: the share of the step before that did not get here. Time: from the step before, half of them faster,",
          "half slower."
        )
      )
    ),
    funnel_split_ui(ns("parts"))
  )
}

funnel_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    sync_inputs(input, session, context$params, c("by", "split"))
    unit <- shiny::reactive(names(FUNNEL_UNITS)[FUNNEL_UNITS == context$params$by])
    funnel <- function(split, ...) context$query(FUNNEL_QUERIES[[context$params$by]], split, ...)

    steps <- shiny::reactive(with_previous_rows(
      funnel(""), funnel("", previous = TRUE),
      "step", "reached", c("share", "drop_off", "median_seconds")
    ))
    named <- shiny::reactive(with_step_names(steps()))
    chart_card_server(
      "steps", context, named,
      draw = funnel_chart, describe = function(data) funnel_text(data, unit()), empty = NOTHING_VIEWED
    )
    table_card_server(
      "losses", context, named,
      columns = shiny::reactive(loss_columns(unit(), "previous_drop_off" %in% names(named()$data))),
      texts = list(
        reached = count_text, drop_off = rate_text, previous_drop_off = rate_text, median_seconds = duration_text
      ),
      empty = NOTHING_VIEWED
    )
    funnel_split_server("parts", context, funnel, unit)
  })
}

NOTHING_VIEWED <- "No product was viewed in this period."

loss_columns <- function(unit, compared) {
  c(
    "Step" = "name", stats::setNames("reached", unit), "Lost" = "drop_off",
    if (compared) c("Lost before" = "previous_drop_off"), "Time" = "median_seconds"
  )
}
