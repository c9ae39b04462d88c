queries <- read_queries(file.path(app, "queries"))
numbers <- data.frame(events = 1234567, visitors = 12, sessions = 34)
week <- list(from = as.Date("2026-03-01"), to = as.Date("2026-03-07"))

test_that("every query has its file", {
  expect_setequal(names(queries), c("event_mix", "events_over_time", "freshness", "kpis", "last_hour"))
})

test_that("no query is put together from what somebody typed", {
  code <- unlist(lapply(list.files(file.path(app, "R"), full.names = TRUE), readLines))
  expect_false(any(grepl("paste.*(SELECT|WHERE)|sprintf.*(SELECT|WHERE)", code)))
})

test_that("the numbers are shown as they were counted", {
  testServer(kpis_server, args = list(numbers = reactive(answer(numbers))), {
    expect_equal(output$events, "1,234,567")
    expect_equal(output$visitors, "12")
    expect_equal(output$sessions, "34")
  })
})

test_that("numbers that could not be counted are dashes and not zeros", {
  testServer(kpis_server, args = list(numbers = reactive(suppressMessages(answer(stopped())))), {
    expect_equal(output$events, "\u2013")
  })
})

test_that("days and time zone are bound", {
  database <- fake_database(numbers)
  arguments <- list(
    time_zone = "Asia/Ho_Chi_Minh", database = database, queries = queries,
    period = reactive(week), tick = reactive(0)
  )
  testServer(overview_server, args = arguments, {
    expect_equal(output$period, "2026-03-01 to 2026-03-07")
    session$getReturned()
    numbers()
    asked <- Filter(function(question) question$sql == queries$kpis, database$questions())
    expect_equal(asked[[1]]$bound, list(week$from, week$to, "Asia/Ho_Chi_Minh"))
  })
})

test_that("the page says for machines what the database user sees, or that it does not know", {
  settings <- list(title = "Shop")
  page <- function(database) as.character(htmltools::renderTags(page_ui(settings, events_of_last_hour(database, queries)))$head)
  expect_match(page(fake_database(data.frame(events = 7))), 'name="clickstream-events-last-hour" content="7"')
  expect_match(page(fake_database(stopped)), 'content="unknown"')
})
