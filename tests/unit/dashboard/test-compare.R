filters <- list(
  from = as.Date("2026-03-02"), to = as.Date("2026-03-03"),
  previous = list(from = as.Date("2026-02-28"), to = as.Date("2026-03-01"))
)

test_that("buckets are moved by days, over the end of a month", {
  expect_equal(moved_bucket(c("2026-02-28 23:00", "2026-03-01 00:00"), 2), c("2026-03-02 23:00", "2026-03-03 00:00"))
})

test_that("the period before is beside the one that is looked at", {
  now <- answer(data.frame(bucket = c("2026-03-02 00:00"), events = 5))
  before <- answer(data.frame(bucket = c("2026-02-28 00:00", "2026-03-01 00:00"), events = c(3, 4)))
  both <- buckets_beside(now, before, filters)
  expect_equal(both$data$events, c(5, NA))
  expect_equal(both$data$previous_events, c(3, 4))
  expect_equal(both$data$previous_bucket, c("2026-02-28 00:00", "2026-03-01 00:00"))
  expect_identical(buckets_beside(now, NULL, filters), now)
})

test_that("rows are joined by name, in the order of now, then what was only before", {
  now <- answer(data.frame(event_name = c("page_view", "click"), events = c(9, 2)))
  before <- answer(data.frame(event_name = c("search", "page_view"), events = c(4, 7)))
  both <- rows_beside(now, before, "event_name", "events")$data
  expect_equal(both$event_name, c("page_view", "click", "search"))
  expect_equal(both$events, c(9, 2, 0))
  expect_equal(both$previous_events, c(7, 0, 4))
})

test_that("a rate that a period does not have is not known, and no zero", {
  now <- answer(data.frame(key = c("a", "b"), carts = c(1, 2), rate = c(0.5, 0.2)))
  before <- answer(data.frame(key = c("a", "c"), carts = c(3, 4), rate = c(NA, 0.1)))
  both <- rows_beside(now, before, "key", "carts", "rate")$data
  expect_equal(both$carts, c(1, 2, 0))
  expect_equal(both$rate, c(0.5, 0.2, NA))
  expect_equal(both$previous_rate, c(NA, NA, 0.1))
})

test_that("one empty period does not hide the other, and an error is an error", {
  none <- answer(data.frame(event_name = character(), events = numeric()))
  some <- answer(data.frame(event_name = "click", events = 1))
  expect_equal(rows_beside(none, some, "event_name", "events")$data$previous_events, 1)
  expect_equal(rows_beside(some, none, "event_name", "events")$data$previous_events, 0)
  expect_equal(rows_beside(none, none, "event_name", "events")$state, "empty")
  failed <- suppressMessages(answer(stopped()))
  expect_equal(rows_beside(some, failed, "event_name", "events")$state, "error")
  expect_equal(rows_beside(failed, some, "event_name", "events")$state, "error")
})
