# What a question to the database came to, so that every part of the page shows it in the same way:
# list(state = "ok" | "empty" | "error", data, message).
#
# question: expression that gives a data frame.
# is_empty: function that says whether a data frame means "nothing there".
answer <- function(question, is_empty = function(data) nrow(data) == 0) {
  tryCatch(
    {
      data <- question
      list(state = if (is_empty(data)) "empty" else "ok", data = data, message = NULL)
    },
    database_unavailable = function(error) failed_answer(error, "The database does not answer."),
    query_failed = function(error) failed_answer(error, "This could not be counted.")
  )
}

# The reason goes to the log; the page says what a reader can use.
failed_answer <- function(error, message) {
  base::message(format(Sys.time(), "%FT%TZ", tz = "UTC"), " ", conditionMessage(error))
  list(state = "error", data = NULL, message = paste(message, "The page tries again by itself."))
}

# The answer's data; otherwise the output shows the message in its place.
answered <- function(answer, empty = "No events in this period.") {
  shiny::validate(
    shiny::need(answer$state != "error", answer$message),
    shiny::need(answer$state != "empty", empty)
  )
  answer$data
}
