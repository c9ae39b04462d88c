# A cache over a database that records its queries; wait() moves the clock.
cache <- function(database, ...) {
  time <- 1000
  cached <- new_cached_database(database, "version", refresh_seconds = 30, keep_seconds = 300, now = function() time)
  c(cached, list(wait = function(seconds) time <<- time + seconds))
}

counting_database <- function() {
  state <- new.env()
  state$sent <- character()
  state$version <- 1
  state$up <- TRUE
  database <- list(
    query = function(sql, ...) {
      if (!state$up) stopped()
      state$sent <- c(state$sent, paste(sql, ...))
      if (sql == "broken") raise("query_failed", "no such column")
      if (sql == "version") data.frame(run = state$version) else data.frame(n = length(state$sent))
    },
    healthy = function() state$up, disconnect = function() NULL
  )
  list(database = database, state = state, queries = function() setdiff(state$sent, "version"))
}

test_that("a query runs once for the same parameters", {
  counted <- counting_database()
  cached <- cache(counted$database)
  first <- cached$query("views", "2026-03-01", "guest")
  expect_equal(cached$query("views", "2026-03-01", "guest"), first)
  cached$query("views", "2026-03-01", "")
  expect_equal(counted$queries(), c("views 2026-03-01 guest", "views 2026-03-01 "))
})

test_that("after a load queries run again, seen after the refresh", {
  counted <- counting_database()
  cached <- cache(counted$database)
  first <- cached$query("views")
  before <- cached$version()
  counted$state$version <- 2
  expect_equal(cached$query("views"), first)
  cached$wait(30)
  expect_false(identical(cached$version(), before))
  expect_false(identical(cached$query("views"), first))
})

test_that("without a load a result is kept for a while", {
  counted <- counting_database()
  cached <- cache(counted$database)
  first <- cached$query("views")
  cached$wait(100)
  expect_equal(cached$query("views"), first)
  cached$wait(300)
  expect_false(identical(cached$query("views"), first))
})

test_that("errors are not cached, and a stopped database gives no old results for long", {
  counted <- counting_database()
  cached <- cache(counted$database)
  expect_error(cached$query("broken"), class = "query_failed")
  expect_error(cached$query("broken"), class = "query_failed")
  expect_equal(sum(counted$state$sent == "broken"), 2)
  first <- cached$query("views")
  counted$state$up <- FALSE
  cached$wait(30)
  expect_error(cached$query("views"), class = "database_unavailable")
  counted$state$up <- TRUE
  expect_equal(cached$query("views"), first)
})

test_that("a query past the cache runs each time", {
  counted <- counting_database()
  cached <- cache(counted$database)
  cached$query_uncached("last hour")
  cached$query_uncached("last hour")
  expect_equal(length(counted$state$sent), 2)
})
