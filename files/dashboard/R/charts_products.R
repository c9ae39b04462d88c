# The products page's charts, and what they show in words.

TOP <- 15
# A rate of fewer views or carts is not ranked.
LEAST_VIEWS <- 10
LEAST_CARTS <- 5

is_rate <- function(by) by %in% c("view_to_cart", "cart_to_buy")

# The function that makes text of a measure. data: has the currency.
measure_text <- function(by, data) {
  if (by == "revenue") function(amount) money_text(amount, currency_of(data)) else if (is_rate(by)) rate_text else count_text
}

# Keeps the first rows of a result by a measure.
top_products <- function(result, by) {
  if (result$state != "ok") {
    return(result)
  }
  data <- result$data
  value <- data[[by]]
  enough <- switch(by, view_to_cart = data$views >= LEAST_VIEWS, cart_to_buy = data$carts >= LEAST_CARTS, value > 0)
  ranked <- order(-value, data$name)
  ranked <- ranked[ranked %in% which(enough & !is.na(value))]
  result$data <- data[utils::head(ranked, TOP), , drop = FALSE]
  if (nrow(result$data) == 0) result$state <- "empty"
  result
}

top_help <- function(level, by) {
  kind <- tolower(names(PRODUCT_LEVELS)[PRODUCT_LEVELS == level])
  switch(by,
    view_to_cart = paste0("Carts by views, of ", kind, " with at least ", LEAST_VIEWS, " views."),
    cart_to_buy = paste0("Purchases by carts, of ", kind, " with at least ", LEAST_CARTS, " carts."),
    views = paste("The most viewed", kind, "of the period."),
    carts = paste("The", kind, "most often put into the cart in the period."),
    purchases = paste("The", kind, "most often bought in the period."),
    revenue = paste("What was paid for them: price after discount by quantity, of the 1,000 most viewed", kind, "of the period.")
  )
}

# Horizontal bars, the first on top. Two of the same name stay two bars.
top_products_chart <- function(data, by) {
  text <- measure_text(by, data)
  previous <- data[[paste0("previous_", by)]]
  label <- short_label(data$name)
  bar <- function(chart, values, name, colour) {
    plotly::add_trace(
      chart,
      x = values, y = data$key, name = name, type = "bar", orientation = "h", marker = list(color = colour),
      text = text(values), textposition = "outside", cliponaxis = FALSE, customdata = escape_html(data$name),
      hovertemplate = "%{customdata}: %{text}<extra>%{fullData.name}</extra>"
    )
  }
  chart <- plotly::plot_ly()
  if (!is.null(previous)) chart <- bar(chart, previous, "Previous period", CHART_COLOURS$before)
  chart <- bar(chart, data[[by]], "This period", CHART_COLOURS$first)
  plain_layout(
    chart,
    xaxis = c(
      room_for_text(data[[by]], previous, times = if (by == "revenue") 2.2 else 1.5),
      tickformat = if (is_rate(by)) ".0%" else if (by != "revenue") "," # else 200M
    ),
    yaxis = list(
      type = "category", categoryorder = "array", categoryarray = rev(data$key),
      tickmode = "array", tickvals = data$key, ticktext = escape_html(label)
    ),
    showlegend = !is.null(previous)
  )
}

top_products_text <- function(data, by) {
  paste0(paste0(data$name, " ", measure_text(by, data)(data[[by]]), collapse = ", "), ".")
}

# Keeps the products of a result that have enough views for a rate, the 500 most viewed.
discounts <- function(result) {
  if (result$state != "ok") {
    return(result)
  }
  data <- result$data[result$data$views >= LEAST_VIEWS & !is.na(result$data$view_to_cart), , drop = FALSE]
  data$discount[is.na(data$discount)] <- 0
  result$data <- utils::head(data, 500)[
    c("key", "name", "price", "discount_price", "discount", "views", "view_to_cart", "currency")
  ]
  if (nrow(result$data) == 0) result$state <- "empty"
  result
}

discount_chart <- function(data) {
  price <- money_text(data$price, currency_of(data))
  chart <- plotly::plot_ly(
    x = data$discount, y = data$view_to_cart, type = "scatter", mode = "markers",
    marker = list(
      color = CHART_COLOURS$first, opacity = 0.6, line = list(color = "#ffffff", width = 1),
      size = 7 + 25 * sqrt(data$views / max(data$views))
    ),
    text = escape_html(paste0(data$name, ", ", count_text(data$views), " views, price ", price)),
    hovertemplate = "%{text}<br>discount %{x:.0%}, view to cart %{y:.1%}<extra></extra>"
  )
  plain_layout(
    chart,
    xaxis = list(title = "Discount", tickformat = ".0%", rangemode = "tozero"),
    yaxis = list(title = "View-to-cart rate", tickformat = ".0%", rangemode = "tozero")
  )
}

discount_text <- function(data) {
  shown <- utils::head(data, 5)
  paste0(
    nrow(data), " products. The most viewed: ",
    paste0(shown$name, " with ", rate_text(shown$discount, 0), " discount, ", rate_text(shown$view_to_cart), " into the cart",
      collapse = "; "
    ), "."
  )
}

# Three lines that differ in more than colour. data: bucket, views, carts, purchases.
product_trend_chart <- function(data) {
  hover <- paste0("%{x|", bucket_format("day"), "}: %{y:,}<extra>%{fullData.name}</extra>")
  chart <- plotly::plot_ly()
  chart <- add_line(chart, data$bucket, data$views, "Views", CHART_COLOURS$first, hovertemplate = hover)
  chart <- add_line(chart, data$bucket, data$carts, "Carts", CHART_COLOURS$second, "dash", "square", hovertemplate = hover)
  chart <- add_line(chart, data$bucket, data$purchases, "Purchases", CHART_COLOURS$third, "dot", "diamond", hovertemplate = hover)
  plain_layout(chart, xaxis = list(type = "date"), yaxis = list(rangemode = "tozero"), showlegend = TRUE)
}

product_trend_text <- function(data) {
  paste0(
    count_text(sum(data$views)), " views, ", count_text(sum(data$carts)), " carts and ", count_text(sum(data$purchases)),
    " purchases from ", substr(data$bucket[1], 1, 10), " to ", substr(data$bucket[nrow(data)], 1, 10), "."
  )
}
