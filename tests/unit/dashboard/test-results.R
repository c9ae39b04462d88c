test_that("a result is ok, empty or an error that is fit to read", {
  expect_equal(as_result(data.frame(n = 1))$state, "ok")
  expect_equal(as_result(data.frame(n = integer()))$state, "empty")
  expect_message(failed <- as_result(stopped()), "connection refused")
  expect_equal(failed$state, "error")
  expect_match(failed$message, "The database does not answer")
  expect_no_match(failed$message, "refused")
})

test_that("mistakes in the code are not caught", {
  expect_error(as_result(stop("a typo")), "a typo")
})

test_that("an output shows the message in place of its data", {
  expect_error(require_data(list(state = "error", message = "Away.")), "Away.", class = "shiny.silent.error")
  expect_error(require_data(list(state = "empty")), "No events in this period.", class = "shiny.silent.error")
  expect_equal(require_data(list(state = "ok", data = 1)), 1)
})

test_that("freshness and staleness are given in words", {
  state <- function(event, load, minutes) data.frame(last_event = event, last_load = load, minutes_since_load = minutes)
  expect_equal(freshness_text(state(NA, NA, NA), "UTC"), "No event has been loaded yet.")
  loaded <- state("2026-03-01 10:00:00", "2026-03-01 10:05:00", 185)
  expect_match(freshness_text(loaded, "UTC"), "last load 2026-03-01 10:05:00")
  expect_no_match(freshness_text(state("2026-03-01 10:00:00", NA, NA), "UTC"), "last load")
  expect_true(is_stale(loaded, 120))
  expect_false(is_stale(loaded, 200))
  expect_false(is_stale(state(NA, NA, NA), 120))
  expect_match(stale_text(loaded), "3 h 5 min")
})

test_that("the heading names period and filters", {
  chosen <- list(
    from = as.Date("2026-03-01"), to = as.Date("2026-03-07"), login_state = "logged_in", category = "laptop", brand = "",
    previous = list(from = as.Date("2026-02-22"), to = as.Date("2026-02-28"))
  )
  expect_equal(
    describe_filters(chosen),
    "2026-03-01 to 2026-03-07 \u00b7 compared with 2026-02-22 to 2026-02-28 \u00b7 logged in, unverified \u00b7 laptop"
  )
})
