test_that("an answer is ok, empty or an error that is fit to read", {
  expect_equal(answer(data.frame(n = 1))$state, "ok")
  expect_equal(answer(data.frame(n = integer()))$state, "empty")
  expect_message(failed <- answer(stopped()), "connection refused")
  expect_equal(failed$state, "error")
  expect_match(failed$message, "The database does not answer")
  expect_no_match(failed$message, "refused")
})

test_that("mistakes of the code are no answers", {
  expect_error(answer(stop("a typo")), "a typo")
})

test_that("an output shows the message in place of its data", {
  expect_error(answered(list(state = "error", message = "Away.")), "Away.", class = "shiny.silent.error")
  expect_error(answered(list(state = "empty")), "No events in this period.", class = "shiny.silent.error")
  expect_equal(answered(list(state = "ok", data = 1)), 1)
})

test_that("counts are grouped and never in scientific notation", {
  expect_equal(count_text(c(0, 999, 12100000)), c("0", "999", "12,100,000"))
})

test_that("freshness is said in words", {
  expect_equal(freshness_text(NA, NA, "UTC"), "No event has been loaded yet.")
  expect_match(freshness_text("2026-03-01 10:00:00", "2026-03-01 10:05:00", "UTC"), "last load 2026-03-01 10:05:00")
  expect_no_match(freshness_text("2026-03-01 10:00:00", NA, "UTC"), "last load")
})
