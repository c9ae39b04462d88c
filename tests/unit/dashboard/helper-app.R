# testthat reads this first: the app's own files, and a database with given results.
app <- Sys.getenv("DASHBOARD_APP", "../../../files/dashboard")
for (file in list.files(file.path(app, "R"), full.names = TRUE)) source(file)

library(shiny)

# A stand-in for new_database(): results[[n]] for the n-th query, the last one again and again. A function among them is
# called. sent() gives the queries with their parameters.
fake_database <- function(...) {
  results <- list(...)
  sent <- list()
  healthy <- TRUE
  list(
    query = function(sql, ...) {
      sent[[length(sent) + 1]] <<- list(sql = sql, bound = list(...))
      current <- results[[min(length(sent), length(results))]]
      healthy <<- !is.function(current)
      if (is.function(current)) current() else current
    },
    healthy = function() healthy,
    sent = function() sent
  )
}

stopped <- function() raise("database_unavailable", "connection refused")
