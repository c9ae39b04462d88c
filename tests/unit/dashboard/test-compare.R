filters <- list(
  from = as.Date("2026-03-02"), to = as.Date("2026-03-03"),
  previous = list(from = as.Date("2026-02-28"), to = as.Date("2026-03-01"))
)

test_that("buckets are moved by days, over the end of a month", {
  expect_equal(shift_bucket(c("2026-02-28 23:00", "2026-03-01 00:00"), 2), c("2026-03-02 23:00", "2026-03-03 00:00"))
})

test_that("each bucket has the values of the previous period", {
  now <- as_result(data.frame(bucket = c("2026-03-02 00:00"), events = 5))
  before <- as_result(data.frame(bucket = c("2026-02-28 00:00", "2026-03-01 00:00"), events = c(3, 4)))
  both <- with_previous_buckets(now, before, filters)
  expect_equal(both$data$events, c(5, NA))
  expect_equal(both$data$previous_events, c(3, 4))
  expect_equal(both$data$previous_bucket, c("2026-02-28 00:00", "2026-03-01 00:00"))
  expect_identical(with_previous_buckets(now, NULL, filters), now)
})

test_that("rows keep the order of the current period; those of the previous period alone follow", {
  now <- as_result(data.frame(event_name = c("page_view", "click"), events = c(9, 2)))
  before <- as_result(data.frame(event_name = c("search", "page_view"), events = c(4, 7)))
  both <- with_previous_rows(now, before, "event_name", "events")$data
  expect_equal(both$event_name, c("page_view", "click", "search"))
  expect_equal(both$events, c(9, 2, 0))
  expect_equal(both$previous_events, c(7, 0, 4))
})

test_that("a rate that a period does not have is NA and not zero", {
  now <- as_result(data.frame(key = c("a", "b"), carts = c(1, 2), rate = c(0.5, 0.2)))
  before <- as_result(data.frame(key = c("a", "c"), carts = c(3, 4), rate = c(NA, 0.1)))
  both <- with_previous_rows(now, before, "key", "carts", "rate")$data
  expect_equal(both$carts, c(1, 2, 0))
  expect_equal(both$rate, c(0.5, 0.2, NA))
  expect_equal(both$previous_rate, c(NA, NA, 0.1))
})

test_that("one empty period does not hide the other, and an error is an error", {
  none <- as_result(data.frame(event_name = character(), events = numeric()))
  some <- as_result(data.frame(event_name = "click", events = 1))
  expect_equal(with_previous_rows(none, some, "event_name", "events")$data$previous_events, 1)
  expect_equal(with_previous_rows(some, none, "event_name", "events")$data$previous_events, 0)
  expect_equal(with_previous_rows(none, none, "event_name", "events")$state, "empty")
  failed <- suppressMessages(as_result(stopped()))
  expect_equal(with_previous_rows(some, failed, "event_name", "events")$state, "error")
  expect_equal(with_previous_rows(failed, some, "event_name", "events")$state, "error")
})
