# A database (database.R) with a cache for all visitors of the R process: ten who look at the same thing run a query once.
# The data's version is part of the key, so that a load makes every cached result stale. Errors are never cached.
#
# version_sql: a query whose result changes with every load; it runs at most once in refresh_seconds.
# keep_seconds: how long a result is kept if nothing is loaded.
# Returns the database's functions, and
#   version()            text that changes when results may have; an error of the database while it does not answer
#   query_uncached(...)  a query past the cache
new_cached_database <- function(database, version_sql, refresh_seconds, keep_seconds, now = Sys.time) {
  cache <- cachem::cache_mem(max_size = 64 * 1024^2, max_age = keep_seconds)
  loaded <- NULL
  checked_at <- -Inf

  version <- function() {
    seconds <- as.numeric(now())
    if (seconds - checked_at >= refresh_seconds || !database$healthy()) {
      checked_at <<- -Inf # stays so if the query fails
      loaded <<- paste(unlist(database$query(version_sql)), collapse = " ")
      checked_at <<- seconds
    }
    paste(loaded, seconds %/% keep_seconds)
  }

  query <- function(sql, ...) {
    key <- rlang::hash(list(sql, as.character(list(...)), version()))
    cached <- cache$get(key)
    if (!cachem::is.key_missing(cached)) {
      return(cached)
    }
    result <- database$query(sql, ...)
    cache$set(key, result)
    result
  }

  utils::modifyList(database, list(query = query, query_uncached = database$query, version = version))
}
