# A cache over a database that counts what it is asked; clock() moves on by hand.
cache <- function(database, ...) {
  time <- 1000
  cached <- new_cached_database(database, "version", refresh_seconds = 30, keep_seconds = 300, now = function() time)
  c(cached, list(wait = function(seconds) time <<- time + seconds))
}

counting_database <- function() {
  state <- new.env()
  state$asked <- character()
  state$version <- 1
  state$up <- TRUE
  database <- list(
    ask = function(sql, ...) {
      if (!state$up) stopped()
      state$asked <- c(state$asked, paste(sql, ...))
      if (sql == "broken") raise("query_failed", "no such column")
      if (sql == "version") data.frame(run = state$version) else data.frame(n = length(state$asked))
    },
    healthy = function() state$up, disconnect = function() NULL
  )
  list(database = database, state = state, questions = function() setdiff(state$asked, "version"))
}

test_that("the same question is asked once, another one by itself", {
  counted <- counting_database()
  cached <- cache(counted$database)
  first <- cached$ask("views", "2026-03-01", "guest")
  expect_equal(cached$ask("views", "2026-03-01", "guest"), first)
  cached$ask("views", "2026-03-01", "")
  expect_equal(counted$questions(), c("views 2026-03-01 guest", "views 2026-03-01 "))
})

test_that("a load makes it a new question, seen after the refresh", {
  counted <- counting_database()
  cached <- cache(counted$database)
  first <- cached$ask("views")
  before <- cached$version()
  counted$state$version <- 2
  expect_equal(cached$ask("views"), first)
  cached$wait(30)
  expect_false(identical(cached$version(), before))
  expect_false(identical(cached$ask("views"), first))
})

test_that("without a load an answer is kept for a while", {
  counted <- counting_database()
  cached <- cache(counted$database)
  first <- cached$ask("views")
  cached$wait(100)
  expect_equal(cached$ask("views"), first)
  cached$wait(300)
  expect_false(identical(cached$ask("views"), first))
})

test_that("errors are not remembered, and a stopped database gives no old answers for long", {
  counted <- counting_database()
  cached <- cache(counted$database)
  expect_error(cached$ask("broken"), class = "query_failed")
  expect_error(cached$ask("broken"), class = "query_failed")
  expect_equal(sum(counted$state$asked == "broken"), 2)
  first <- cached$ask("views")
  counted$state$up <- FALSE
  cached$wait(30)
  expect_error(cached$ask("views"), class = "database_unavailable")
  counted$state$up <- TRUE
  expect_equal(cached$ask("views"), first)
})

test_that("what must be new is asked anew", {
  counted <- counting_database()
  cached <- cache(counted$database)
  cached$ask_anew("last hour")
  cached$ask_anew("last hour")
  expect_equal(length(counted$state$asked), 2)
})
