# A database (database.R) that remembers its answers, for all visitors of the R process: ten who look at the same thing
# ask once. An answer holds for the data that it was made of: a load makes the next question a new one. Errors are never
# remembered.
#
# version_sql: a question whose answer changes with every load; it is asked once in refresh_seconds.
# keep_seconds: how long an answer is given again without any load.
# Returns the database's functions, and
#   version()      text that changes when answers may; an error of the database's while it does not answer
#   ask_anew(...)  asks without remembering
new_cached_database <- function(database, version_sql, refresh_seconds, keep_seconds, now = Sys.time) {
  answers <- cachem::cache_mem(max_size = 64 * 1024^2, max_age = keep_seconds)
  loaded <- NULL
  looked_at <- -Inf

  version <- function() {
    seconds <- as.numeric(now())
    if (seconds - looked_at >= refresh_seconds || !database$healthy()) {
      looked_at <<- -Inf # unless it is answered
      loaded <<- paste(unlist(database$ask(version_sql)), collapse = " ")
      looked_at <<- seconds
    }
    paste(loaded, seconds %/% keep_seconds)
  }

  ask <- function(sql, ...) {
    key <- rlang::hash(list(sql, as.character(list(...)), version()))
    remembered <- answers$get(key)
    if (!cachem::is.key_missing(remembered)) {
      return(remembered)
    }
    result <- database$ask(sql, ...)
    answers$set(key, result)
    result
  }

  utils::modifyList(database, list(ask = ask, ask_anew = database$ask, version = version))
}
