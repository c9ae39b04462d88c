# Colours that colour-blind people can tell apart (Okabe and Ito), and readable on white.
chart_colours <- list(bar = "#0072B2", text = "#212529", grid = "#dee2e6")

# Bars over time. data: bucket (text, local time), events.
events_over_time_chart <- function(data, bucket) {
  chart <- plotly::plot_ly(
    data,
    x = ~bucket, y = ~events, type = "bar",
    marker = list(color = chart_colours$bar),
    hovertemplate = paste0("%{x|", if (bucket == "hour") "%d %b %H:%M" else "%a %d %b %Y", "}: %{y:,} events<extra></extra>")
  )
  plain_layout(chart, xaxis = list(title = "", type = "date"), yaxis = list(title = "Events", rangemode = "tozero"))
}

# Horizontal bars, the most frequent on top. data: event_name, events.
event_mix_chart <- function(data) {
  chart <- plotly::plot_ly(
    data,
    x = ~events, y = ~event_name, type = "bar", orientation = "h",
    marker = list(color = chart_colours$bar),
    text = ~ count_text(events), textposition = "auto",
    hovertemplate = "%{y}: %{x:,} events<extra></extra>"
  )
  order <- list(title = "", automargin = TRUE, categoryorder = "array", categoryarray = rev(data$event_name))
  plain_layout(chart, xaxis = list(title = "Events", rangemode = "tozero"), yaxis = order)
}

# What all charts have in common: no decoration, and nothing that a finger on a phone would start by accident.
plain_layout <- function(chart, xaxis, yaxis) {
  grid <- list(gridcolor = chart_colours$grid, fixedrange = TRUE)
  chart <- plotly::layout(
    chart,
    xaxis = c(xaxis, grid), yaxis = c(yaxis, grid),
    font = list(color = chart_colours$text), margin = list(t = 10, r = 10),
    paper_bgcolor = "rgba(0,0,0,0)", plot_bgcolor = "rgba(0,0,0,0)"
  )
  plotly::config(chart, displayModeBar = FALSE, responsive = TRUE)
}

# 1234567 as "1,234,567".
count_text <- function(number) {
  format(number, big.mark = ",", scientific = FALSE, trim = TRUE)
}
