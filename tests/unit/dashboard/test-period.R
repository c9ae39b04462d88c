test_that("today is the time zone's", {
  now <- as.POSIXct("2026-03-01 18:30:00", tz = "UTC")
  expect_equal(today_in("Asia/Ho_Chi_Minh", now), as.Date("2026-03-02"))
  expect_equal(today_in("UTC", now), as.Date("2026-03-01"))
  expect_equal(today_in("America/New_York", as.POSIXct("2026-03-01 03:00:00", tz = "UTC")), as.Date("2026-02-28"))
})

test_that("a preset ends with today and has that many days", {
  today <- as.Date("2026-03-02")
  expect_equal(chosen_period("1", NULL, today), list(from = today, to = today))
  expect_equal(chosen_period("7", NULL, today)$from, as.Date("2026-02-24"))
})

test_that("a custom period takes two dates in any order, and waits for both", {
  days <- as.Date(c("2026-02-03", "2026-02-01"))
  expect_equal(chosen_period("custom", days, as.Date("2026-03-02")), list(from = days[2], to = days[1]))
  expect_null(chosen_period("custom", c(days[1], NA), as.Date("2026-03-02")))
  expect_null(chosen_period("custom", NULL, as.Date("2026-03-02")))
})

test_that("a custom period has an end", {
  expect_null(chosen_period("custom", as.Date(c("0202-01-01", "2026-01-01")), as.Date("2026-03-02")))
  expect_null(chosen_period("custom", as.Date(c("2000-01-01", "2026-01-01")), as.Date("2026-03-02")))
  expect_null(chosen_period("custom", as.Date(c("2026-01-01", "9999-01-01")), as.Date("2026-03-02")))
})

test_that("the previous period is as long and ends the day before", {
  week <- list(from = as.Date("2026-03-01"), to = as.Date("2026-03-07"))
  expect_equal(previous_period(week), list(from = as.Date("2026-02-22"), to = as.Date("2026-02-28")))
  day <- list(from = as.Date("2026-03-01"), to = as.Date("2026-03-01"))
  expect_equal(previous_period(day), list(from = as.Date("2026-02-28"), to = as.Date("2026-02-28")))
})

test_that("short periods are shown by hour", {
  from <- as.Date("2026-03-01")
  expect_equal(bucket_of(list(from = from, to = from)), "hour")
  expect_equal(bucket_of(list(from = from, to = from + 1)), "hour")
  expect_equal(bucket_of(list(from = from, to = from + 2)), "day")
})

test_that("a period reads as one day or two", {
  from <- as.Date("2026-03-01")
  expect_equal(describe_period(list(from = from, to = from)), "2026-03-01")
  expect_equal(describe_period(list(from = from, to = from + 6)), "2026-03-01 to 2026-03-07")
})
