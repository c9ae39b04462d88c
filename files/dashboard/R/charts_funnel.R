# The funnel's charts, and what they show in words.

STEP_NAMES <- c("Product view", "Cart", "Checkout", "Purchase")

# Gives a result the names of the steps, and their order.
with_step_names <- function(result) {
  if (result$state != "error") {
    result$data$name <- STEP_NAMES[result$data$step]
    result$data <- result$data[order(match(result$data$value, unique(result$data$value)), result$data$step), ]
  }
  result
}

# A bar per step, the first on top. data: name, reached, share; with a comparison also previous_reached.
funnel_chart <- function(data) {
  bar <- function(chart, reached, name, colour) {
    share <- ifelse(data$step == 1, "", paste0(" (", rate_text(reached / reached[1]), ")"))
    plotly::add_trace(
      chart,
      x = reached, y = data$name, name = name, type = "bar", orientation = "h", marker = list(color = colour),
      text = paste0(count_text(reached), share),
      textposition = "outside", cliponaxis = FALSE,
      hovertemplate = "%{y}: %{text}<extra>%{fullData.name}</extra>"
    )
  }
  chart <- plotly::plot_ly()
  compared <- !is.null(data$previous_reached)
  if (compared) chart <- bar(chart, data$previous_reached, "Previous period", CHART_COLOURS$before)
  chart <- bar(chart, data$reached, "This period", CHART_COLOURS$first)
  longest <- 1.5 * max(data$reached, data$previous_reached, 1)
  plain_layout(
    chart,
    xaxis = list(range = c(0, longest), tickformat = ","),
    yaxis = list(type = "category", categoryorder = "array", categoryarray = rev(data$name)), showlegend = compared
  )
}

funnel_text <- function(data, unit) {
  after <- ifelse(is.na(data$drop_off), "", paste0(", ", rate_text(data$drop_off), " lost"))
  paste0(unit, ". ", paste0(data$name, ": ", count_text(data$reached), after, collapse = ". "), ".")
}

# Of the values with most views the shares of later steps: groups of bars that differ in colour and pattern.
funnel_shares_chart <- function(data) {
  chart <- plotly::plot_ly()
  values <- utils::head(unique(data$value), 5)
  for (n in seq_along(values)) {
    part <- data[data$value == values[n] & data$step > 1, ]
    chart <- plotly::add_trace(
      chart,
      x = part$name, y = part$share, type = "bar", name = escape_html(short_label(part$value_name[1])),
      marker = part_marker(n),
      text = rate_text(part$share), textposition = "outside", cliponaxis = FALSE, textangle = 0,
      customdata = count_text(part$reached),
      hovertemplate = "%{x}: %{text}, %{customdata}<extra>%{fullData.name}</extra>"
    )
  }
  plain_layout(
    chart,
    xaxis = list(type = "category", categoryorder = "array", categoryarray = STEP_NAMES[-1]),
    yaxis = list(rangemode = "tozero", tickformat = ".0%"), showlegend = TRUE
  )
}

funnel_shares_text <- function(data, unit) {
  last <- data[data$step == 4, ]
  first <- data[data$step == 1, ]
  paste0(
    unit, " that completed a checkout, of those that viewed a product. ",
    paste0(
      first$value_name, ": ", count_text(last$reached[match(first$value, last$value)]), " of ",
      count_text(first$reached),
      collapse = ", "
    ), "."
  )
}
