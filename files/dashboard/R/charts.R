# What charts have in common. Colours that colour-blind people can tell apart (Okabe and Ito), dark enough on white.
CHART_COLOURS <- list(
  first = "#0072B2", second = "#D55E00", third = "#009E73", fourth = "#CC79A7",
  before = "#6c757d", text = "#212529", grid = "#dee2e6"
)

# No decoration, and nothing that a finger on a phone would start by accident.
plain_layout <- function(chart, xaxis = list(), yaxis = list(), ...) {
  axis <- list(gridcolor = CHART_COLOURS$grid, fixedrange = TRUE, automargin = TRUE, title = "")
  chart <- plotly::layout(
    chart,
    xaxis = utils::modifyList(axis, xaxis), yaxis = utils::modifyList(axis, yaxis),
    font = list(color = CHART_COLOURS$text, family = "system-ui, sans-serif"),
    margin = list(t = 10, r = 10, b = 30, l = 30),
    legend = list(orientation = "h", x = 0, y = 1.02, yanchor = "bottom"),
    paper_bgcolor = "rgba(0,0,0,0)", plot_bgcolor = "rgba(0,0,0,0)", ...
  )
  # Not responsive: it would be drawn again whenever anything on the page changes its size. www/app.js sees to it.
  plotly::config(chart, displayModeBar = FALSE, responsive = FALSE)
}

# A chart as what the browser draws and no more: its traces and layout are written as plotly.js has them already.
# plotly::plotly_build() would look each attribute up in plotly.js's schema (23 ms of the one R process for each chart; this
# takes one), and plotly::renderPlotly() would send what the chart was made from as well and have the browser tell the
# server of each time that it was drawn: five charts, twenty messages a click.
quiet_widget <- function(chart) {
  traces <- Filter(function(trace) !is.null(trace$type), unname(chart$x$attrs))
  layout <- Reduce(utils::modifyList, chart$x$layoutAttrs, list(hovermode = "closest"))
  layout[c("xaxis", "yaxis")] <- lapply(layout[c("xaxis", "yaxis")], plain_axis)
  drawn <- list(data = lapply(traces, plain_trace), layout = layout, config = chart$x$config, source = chart$x$source)
  chart$x <- structure(c(drawn, UNUSED_PARTS), TOJSON_FUNC = attr(chart$x, "TOJSON_FUNC"))
  chart$preRenderHook <- NULL # it would be built
  # Typed arrays for browsers of before 2012; in today's it raises an error.
  chart$dependencies <- Filter(function(needed) needed$name != "typedarray", chart$dependencies)
  chart
}

# Selections over several charts, which nobody has here, and an address: the browser's part of plotly asks for them.
UNUSED_PARTS <- plotly::plotly_build(plotly::plot_ly(x = 1, y = 1, type = "bar"))$x[c("highlight", "base_url")]

plain_trace <- function(trace) {
  trace[c("alpha_stroke", "sizes", "spans", "inherit")] <- NULL
  trace <- as_lists(trace, c("x", "y", "z", "text", "customdata"))
  if (trace$type == "bar") { # what has no value has no bar; a line has a gap
    by_bar <- intersect(c("x", "y", "text", "customdata"), names(trace))
    trace[by_bar] <- lapply(trace[by_bar], `[`, !is.na(trace$x) & !is.na(trace$y))
  }
  trace
}

plain_axis <- function(axis) as_lists(axis, c("categoryarray", "tickvals", "ticktext"))

# These of its parts are lists in JSON also where they have only one value.
as_lists <- function(of, parts) {
  there <- intersect(parts, names(of))
  of[there] <- lapply(of[there], I)
  of
}

# How a bucket (hour or day) is written under the pointer, for plotly.
bucket_format <- function(unit) {
  if (unit == "hour") "%a %d %b, %H:%M" else "%a %d %b %Y"
}

# Plotly takes some HTML in texts; names come from anybody.
escape_html <- function(text) {
  gsub(">", "&gt;", gsub("<", "&lt;", gsub("&", "&amp;", text, fixed = TRUE), fixed = TRUE), fixed = TRUE)
}

# A name that fits beside a chart.
short_label <- function(text, longest = 24) {
  ifelse(nchar(text) > longest, paste0(substr(text, 1, longest - 1), "\u2026"), text)
}

# The axis of horizontal bars whose numbers stand at their ends: with room for the longest. times: of the longest bar.
room_for_text <- function(..., times = 1.5) {
  list(range = c(0, times * max(c(..., 0), na.rm = TRUE)))
}

# A line over time, with markers as long as they do not touch each other.
add_line <- function(chart, x, y, name, colour, dash = "solid", symbol = "circle", ...) {
  marked <- length(x) <= 31
  plotly::add_trace(
    chart,
    x = x, y = y, name = name, type = "scatter", mode = if (marked) "lines+markers" else "lines",
    line = list(color = colour, dash = dash), marker = if (marked) list(color = colour, symbol = symbol), ...
  )
}
