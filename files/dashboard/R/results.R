# A query's result, in the same form for every part of the page: list(state = "ok" | "empty" | "error", data, message).
#
# data: expression that gives a data frame, or raises an error of the database (database.R).
# is_empty: function that says whether a data frame means "nothing there".
as_result <- function(data, is_empty = function(data) nrow(data) == 0) {
  tryCatch(
    {
      rows <- data # evaluated here, so that its errors are caught
      list(state = if (is_empty(rows)) "empty" else "ok", data = rows, message = NULL)
    },
    database_unavailable = function(error) failed_result(error, "The database does not answer."),
    query_failed = function(error) failed_result(error, "This could not be counted.")
  )
}

# The reason goes to the log; the page says what a reader can use.
failed_result <- function(error, message) {
  base::message(format(Sys.time(), "%FT%TZ", tz = "UTC"), " ", conditionMessage(error))
  list(state = "error", data = NULL, message = paste(message, "The page tries again by itself."))
}

# The result's data. If it is empty or an error, the output that asked shows the message in its place.
require_data <- function(result, empty = "No events in this period.") {
  shiny::validate(
    shiny::need(result$state != "error", result$message),
    shiny::need(result$state != "empty", empty)
  )
  result$data
}
