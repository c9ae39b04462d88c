# Downloads of what a chart or table shows.

# Writes a data frame as CSV that spreadsheets open with the right letters (the mark at the start says UTF-8) and without
# taking a text for a formula: texts come from browsers, that is, from anybody.
write_csv <- function(data, file) {
  harmless <- function(column) {
    if (!is.character(column)) {
      return(column)
    }
    ifelse(grepl("^[=+@\t\r-]", column), paste0("'", column), column)
  }
  data[] <- lapply(data, harmless)
  digits <- options(scipen = 100) # 100000 and not 1e+05
  connection <- file(file, open = "wb")
  on.exit({
    close(connection)
    options(digits)
  })
  writeBin(as.raw(c(0xef, 0xbb, 0xbf)), connection)
  lines <- utils::capture.output(utils::write.csv(data, row.names = FALSE, na = ""))
  writeLines(enc2utf8(lines), connection, sep = "\r\n", useBytes = TRUE)
}

# "overview-events-over-time-2026-01-01-to-2026-01-31.csv"
csv_name <- function(page, card, period) {
  paste0(paste(page, gsub("_", "-", card), gsub(" ", "-", describe_period(period)), sep = "-"), ".csv")
}

csv_link <- function(id, title, text = "CSV") {
  shiny::downloadLink(id, text, class = "csv", `aria-label` = paste("Download as CSV:", title))
}

# data: reactive that gives a result. An empty one is a file with the columns' names alone.
csv_handler <- function(context, card, data) {
  shiny::downloadHandler(
    filename = function() csv_name(context$page, card, context$filters()),
    contentType = "text/csv; charset=utf-8",
    content = function(file) {
      result <- data()
      if (result$state == "error") stop(result$message)
      write_csv(result$data, file)
    }
  )
}
