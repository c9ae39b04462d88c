# Bars that several pages draw.

# What the first, second, … of several kinds of bars looks like: they differ in colour and pattern. Five at most.
part_marker <- function(part) {
  colour <- CHART_COLOURS[[c("first", "second", "third", "fourth", "before")[part]]]
  shape <- c("", "/", "x", ".", "-")[part]
  list(color = colour, pattern = list(shape = shape, bgcolor = colour, fgcolor = "#ffffff", size = 7, solidity = 0.2))
}

# Horizontal bars over classes in their order, the first on top, with the period before beside them where it is there.
# data: the column `values`, perhaps with previous_ before its name. labels: the classes' names.
classes_chart <- function(data, labels, values) {
  bar <- function(chart, counts, name, colour) {
    plotly::add_trace(
      chart,
      x = counts, y = labels, name = name, type = "bar", orientation = "h", marker = list(color = colour),
      text = paste0(count_text(counts), " (", rate_text(counts / max(sum(counts), 1)), ")"),
      textposition = "outside", cliponaxis = FALSE, hovertemplate = "%{y}: %{text}<extra>%{fullData.name}</extra>"
    )
  }
  previous <- data[[paste0("previous_", values)]]
  chart <- plotly::plot_ly()
  if (!is.null(previous)) chart <- bar(chart, previous, "Previous period", CHART_COLOURS$before)
  chart <- bar(chart, data[[values]], "This period", CHART_COLOURS$first)
  plain_layout(
    chart,
    xaxis = list(range = c(0, 1.6 * max(data[[values]], previous, 1)), tickformat = ","),
    yaxis = list(type = "category", categoryorder = "array", categoryarray = rev(labels)),
    showlegend = !is.null(previous)
  )
}

classes_text <- function(labels, counts, unit) {
  total <- sum(counts)
  paste0(
    count_text(total), " ", unit, ". ",
    paste0(labels, ": ", count_text(counts), " (", rate_text(counts / total), ")", collapse = ", "), "."
  )
}

# Bars over time, one upon the other; they differ in colour and pattern.
# data: bucket and the columns named in `parts`, c("What a part is called" = "column").
stacked_chart <- function(data, parts, unit) {
  chart <- plotly::plot_ly()
  for (part in seq_along(parts)) {
    chart <- plotly::add_trace(
      chart,
      x = data$bucket, y = data[[parts[[part]]]], name = names(parts)[part], type = "bar",
      marker = part_marker(part),
      hovertemplate = paste0("%{x|", bucket_format(unit), "}: %{y:,}<extra>", names(parts)[part], "</extra>")
    )
  }
  plain_layout(
    chart,
    barmode = "stack", xaxis = list(type = "date"), yaxis = list(rangemode = "tozero", tickformat = ","),
    showlegend = TRUE
  )
}

stacked_text <- function(data, parts, unit) {
  sums <- vapply(parts, function(column) sum(data[[column]], na.rm = TRUE), 0)
  paste0(
    "By ", unit, " from ", data$bucket[1], " to ", data$bucket[nrow(data)], ": ",
    paste0(names(parts), " ", count_text(sums), collapse = ", "), "."
  )
}
