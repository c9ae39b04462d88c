# The funnel of each login state, category or brand.
funnel_split_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::tagList(
    chart_card_ui(
      ns("shares"), shiny::textOutput(ns("title"), inline = TRUE),
      "The share of those who viewed a product that reached each later step; of the five with most views.",
      height = "360px"
    ),
    table_card_ui(
      ns("table"), "All of them",
      paste(
        "With a category or brand, views and carts are those of its products; checkouts are any. Who looked at several",
        "counts with each. Rates are of the step before."
      )
    )
  )
}

# funnel: function of a split that gives the funnel of each of its values, as a result. unit: reactive, "Sessions" or "Visitors".
funnel_split_server <- function(id, context, funnel, unit) {
  shiny::moduleServer(id, function(input, output, session) {
    split <- shiny::reactive(context$params$split)
    split_name <- shiny::reactive(names(FUNNEL_SPLITS)[FUNNEL_SPLITS == split()])
    parts <- shiny::reactive(with_value_names(with_step_names(funnel(split())), split()))
    wide <- shiny::reactive(one_row_per_value(parts()))

    output$title <- shiny::renderText(paste("Steps by", tolower(split_name())))
    chart_card_server(
      "shares", context, parts,
      draw = funnel_shares_chart, describe = function(data) funnel_shares_text(data, unit()), empty = NOTHING_VIEWED
    )
    rates <- c("cart_rate", "checkout_rate", "purchase_rate", "overall_rate")
    counts <- c("views", "carts", "checkouts", "purchases")
    table_card_server(
      "table", context, wide,
      columns = shiny::reactive(c(
        stats::setNames("value_name", split_name()),
        "Viewed" = "views", "Cart" = "carts", "Rate" = "cart_rate", "Checkout" = "checkouts",
        "Rate " = "checkout_rate", "Bought" = "purchases", "Rate  " = "purchase_rate",
        "Of viewed" = "overall_rate", "Time to cart" = "cart_seconds"
      )),
      texts = c(
        stats::setNames(rep(list(rate_text), 4), rates), stats::setNames(rep(list(count_text), 4), counts),
        list(cart_seconds = duration_text)
      ),
      empty = NOTHING_VIEWED
    )
  })
}

# Gives a result the names of the split's values.
with_value_names <- function(result, split) {
  if (result$state == "ok") {
    value <- result$data$value
    result$data$value_name <- if (split == "login_state") login_state_text(value) else value
  }
  result
}

# Makes one row of the four that each value has.
one_row_per_value <- function(result) {
  if (result$state != "ok") {
    return(result)
  }
  data <- result$data
  first <- data[data$step == 1, ]
  of_step <- function(step, column) {
    rows <- data[data$step == step, ]
    rows[[column]][match(first$value, rows$value)]
  }
  result$data <- data.frame(
    value = first$value, value_name = first$value_name,
    views = first$reached, carts = of_step(2, "reached"), checkouts = of_step(3, "reached"),
    purchases = of_step(4, "reached"),
    cart_rate = 1 - of_step(2, "drop_off"), checkout_rate = 1 - of_step(3, "drop_off"),
    purchase_rate = 1 - of_step(4, "drop_off"), overall_rate = of_step(4, "share"),
    cart_seconds = of_step(2, "median_seconds"), checkout_seconds = of_step(3, "median_seconds"),
    purchase_seconds = of_step(4, "median_seconds")
  )
  result
}
