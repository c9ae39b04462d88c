# One connection for the R process, made when it is first needed and made again after it was lost: a stopped database
# gives errors that say so, and queries succeed again once it is back.
#
# parameters: list for dbConnect (dbname, user, host, port).
# connect: function that makes a DBI connection of it; tests give their own.
# Returns a list of functions: query(sql, ...) gives a data frame or raises a condition of class
# "database_unavailable" or "query_failed"; healthy() says whether the last query succeeded;
# disconnect().
new_database <- function(parameters, connect = connect_postgresql) {
  connection <- NULL
  succeeded <- TRUE

  disconnect <- function() {
    if (!is.null(connection)) {
      try(suppressWarnings(DBI::dbDisconnect(connection)), silent = TRUE)
    }
    connection <<- NULL
  }

  connected <- function() {
    if (is.null(connection)) {
      connection <<- tryCatch(
        connect(parameters),
        error = function(error) raise("database_unavailable", conditionMessage(error))
      )
    }
    connection
  }

  # RPostgreSQL gives NULL with a warning where a statement fails, and an error where the connection is gone.
  once <- function(sql, bound) {
    current <- connected()
    reason <- "no answer"
    note <- function(condition) reason <<- conditionMessage(condition)
    result <- withCallingHandlers(
      tryCatch(DBI::dbGetQuery(current, sql, bound), error = function(error) {
        note(error)
        NULL
      }),
      warning = function(warning) {
        note(warning)
        invokeRestart("muffleWarning")
      }
    )
    if (is.null(result)) raise("query_failed", reason)
    as_utf8(result)
  }

  alive <- function() {
    tryCatch(nrow(once("SELECT 1", list())) == 1, error = function(error) FALSE)
  }

  query <- function(sql, ...) {
    bound <- as.list(enc2utf8(vapply(list(...), as.character, character(1))))
    succeeded <<- FALSE
    result <- tryCatch(once(sql, bound), query_failed = function(failure) {
      if (alive()) stop(failure) # the statement is wrong, or took too long
      disconnect()
      once(sql, bound) # the connection was lost: the server may have been restarted meanwhile
    })
    succeeded <<- TRUE
    result
  }

  list(query = query, healthy = function() succeeded, disconnect = disconnect)
}

connect_postgresql <- function(parameters) {
  connection <- do.call(DBI::dbConnect, c(list(RPostgreSQL::PostgreSQL()), parameters))
  DBI::dbExecute(connection, "SET application_name = 'dashboard'")
  DBI::dbExecute(connection, "SET client_encoding = 'UTF8'")
  connection
}

# RPostgreSQL gives texts without saying in which encoding.
as_utf8 <- function(data) {
  data[] <- lapply(data, function(column) if (is.character(column)) `Encoding<-`(column, "UTF-8") else column)
  data
}

raise <- function(class, message) {
  stop(structure(class = c(class, "error", "condition"), list(message = message, call = NULL)))
}
