# testthat reads this first: the app's own files, and a database that answers as told.
app <- Sys.getenv("DASHBOARD_APP", "../../../files/dashboard")
for (file in list.files(file.path(app, "R"), full.names = TRUE)) source(file)

library(shiny)

# A stand-in for new_database(): answers[[n]] for the n-th question, the last one again and again. A function
# among them is called. questions() gives what was asked.
fake_database <- function(...) {
  answers <- list(...)
  asked <- list()
  healthy <- TRUE
  list(
    ask = function(sql, ...) {
      asked[[length(asked) + 1]] <<- list(sql = sql, bound = list(...))
      current <- answers[[min(length(asked), length(answers))]]
      healthy <<- !is.function(current)
      if (is.function(current)) current() else current
    },
    healthy = function() healthy,
    questions = function() asked
  )
}

stopped <- function() raise("database_unavailable", "connection refused")
