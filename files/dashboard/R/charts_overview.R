# The first page's charts, and what they show in words.

# data: bucket and the column `values`; with a comparison also previous_bucket and previous_<values>. unit: "hour" or "day".
# axis: what is counted. number: how plotly writes it.
over_time_chart <- function(data, values, unit, axis, number = ",") {
  previous <- data[[paste0("previous_", values)]]
  chart <- plotly::plot_ly()
  if (!is.null(previous)) {
    chart <- add_line(
      chart, data$bucket, previous, "Previous period", CHART_COLOURS$before, "dash", "x",
      text = data$previous_bucket, hovertemplate = paste0("%{text}: %{y:", number, "}<extra>Previous period</extra>")
    )
  }
  chart <- add_line(
    chart, data$bucket, data[[values]], "This period", CHART_COLOURS$first,
    hovertemplate = paste0("%{x|", bucket_format(unit), "}: %{y:", number, "}<extra></extra>")
  )
  plain_layout(
    chart,
    xaxis = list(type = "date"), yaxis = list(title = axis, rangemode = "tozero"),
    showlegend = !is.null(previous)
  )
}

revenue_chart <- function(data, unit) {
  currency <- currency_of(data)
  over_time_chart(data, "revenue", unit, paste0("Revenue (", currency, ")"), paste0(",.", currency_decimals(currency), "f"))
}

# text: function that makes text of a sum.
over_time_text <- function(data, values, unit, text) {
  here <- data[!is.na(data[[values]]), ]
  counts <- here[[values]]
  said <- paste0(
    text(sum(counts)), " by ", unit, " from ", here$bucket[1], " to ", here$bucket[nrow(here)], ". ",
    "Most: ", text(max(counts)), " at ", here$bucket[which.max(counts)], ". ",
    "Fewest: ", text(min(counts)), " at ", here$bucket[which.min(counts)], "."
  )
  previous <- data[[paste0("previous_", values)]]
  if (is.null(previous)) {
    return(said)
  }
  paste0(said, " Previous period: ", text(sum(previous, na.rm = TRUE)), ".")
}

# Horizontal bars, the first on top. data: events; with a comparison also previous_events. names: their labels.
counts_chart <- function(data, names) {
  names <- escape_html(names)
  shown <- seq_len(min(nrow(data), 20))
  bar <- function(chart, values, name, colour) {
    plotly::add_trace(
      chart,
      x = values, y = names[shown], name = name, type = "bar", orientation = "h", marker = list(color = colour),
      text = count_text(values), textposition = "outside", cliponaxis = FALSE,
      hovertemplate = "%{y}: %{x:,}<extra>%{fullData.name}</extra>"
    )
  }
  chart <- plotly::plot_ly()
  if (!is.null(data$previous_events)) {
    chart <- bar(chart, data$previous_events[shown], "Previous period", CHART_COLOURS$before)
  }
  chart <- bar(chart, data$events[shown], "This period", CHART_COLOURS$first)
  plain_layout(
    chart,
    xaxis = room_for_text(data$events[shown], data$previous_events[shown]),
    yaxis = list(categoryorder = "array", categoryarray = rev(names[shown]), type = "category"),
    showlegend = !is.null(data$previous_events)
  )
}

counts_text <- function(names, counts) {
  paste0(paste0(names, " ", count_text(counts), collapse = ", "), ".")
}

WEEKDAYS <- c("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# data: weekday (1 to 7), hour (0 to 23), events: all 168.
activity_chart <- function(data) {
  events <- matrix(0, nrow = 7, ncol = 24)
  events[cbind(data$weekday, data$hour + 1)] <- data$events
  hours <- sprintf("%02d:00", 0:23)
  chart <- plotly::plot_ly(
    x = hours, y = WEEKDAYS, z = events, type = "heatmap", xgap = 1, ygap = 1,
    colorscale = list(list(0, "#f2f6fa"), list(0.5, "#5b9bc8"), list(1, "#08306b")),
    colorbar = list(title = "", thickness = 10, len = 0.5, y = 1, yanchor = "top"),
    hovertemplate = "%{y}, %{x}: %{z:,}<extra></extra>"
  )
  plain_layout(
    chart,
    xaxis = list(type = "category", dtick = 3), yaxis = list(autorange = "reversed", type = "category")
  )
}

activity_text <- function(data) {
  busiest <- data[which.max(data$events), ]
  paste0(
    "Busiest: ", WEEKDAYS[busiest$weekday], " from ", busiest$hour, ":00 to ", busiest$hour + 1, ":00 with ",
    count_text(busiest$events), " events."
  )
}
