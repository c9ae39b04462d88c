# Sparklines: a KPI's course as a line without axes.

# values: numbers, NA where there is none. label: what the line shows, in words.
sparkline <- function(values, label) {
  shiny::tags$svg(
    class = "sparkline", viewBox = "0 0 100 24", preserveAspectRatio = "none", role = "img", `aria-label` = label,
    shiny::tags$path(
      d = sparkline_path(values), fill = "none", stroke = CHART_COLOURS$first, `stroke-width` = "2",
      `stroke-linecap` = "round", `stroke-linejoin` = "round", `vector-effect` = "non-scaling-stroke"
    )
  )
}

# Points in a field of 100 by 24, from zero up; a gap where there is no value, a dot for one that stands alone.
sparkline_path <- function(values) {
  known <- !is.na(values)
  if (!any(known)) {
    return("")
  }
  x <- if (length(values) == 1) 50 else 2 + 96 * (seq_along(values) - 1) / (length(values) - 1)
  y <- 22 - 20 * values / max(values[known], 1e-9)
  begins <- known & !c(FALSE, known[-length(known)])
  alone <- begins & !c(known[-1], FALSE)
  points <- sprintf("%s%.1f %.1f%s", ifelse(begins, "M", "L"), x, y, ifelse(alone, "h0", ""))
  paste(points[known], collapse = "")
}

sparkline_text <- function(title, buckets, values, unit, text) {
  known <- which(!is.na(values))
  if (length(known) == 0) {
    return(paste0(title, " by ", unit, ": nothing in this period."))
  }
  lowest <- known[which.min(values[known])]
  highest <- known[which.max(values[known])]
  short <- function(bucket) if (unit == "day") substr(bucket, 1, 10) else bucket
  paste0(
    title, " by ", unit, ": lowest ", text(values[lowest]), " (", short(buckets[lowest]), "), highest ",
    text(values[highest]), " (", short(buckets[highest]), "), last ", text(values[utils::tail(known, 1)]), "."
  )
}
