test_that("counts are grouped and never in scientific notation", {
  expect_equal(count_text(c(0, 999, 12100000, NA)), c("0", "999", "12,100,000", "\u2013"))
})

test_that("rates are percent", {
  expect_equal(rate_text(c(0.0423, 1, 0, NA)), c("4.2 %", "100.0 %", "0.0 %", "\u2013"))
})

test_that("money has its currency's decimals, and is never rounded to nothing", {
  expect_equal(money_text(c(1234567, 0.4, 0, NA), "VND"), c("1,234,567 VND", "0 VND", "0 VND", "\u2013"))
  expect_equal(money_text(c(0.4, 19.99, 1e7), "EUR"), c("0.40 EUR", "19.99 EUR", "10,000,000.00 EUR"))
  expect_equal(amount_text(1.5, "KWD"), "1.500")
  expect_equal(money_text(NA_real_, NA), "\u2013")
})

test_that("durations have two units at most", {
  expect_equal(
    duration_text(c(0, 0.4, 59.6, 185, 7800, 86400, 190000, NA)),
    c("0 s", "0 s", "1 min", "3 min 5 s", "2 h 10 min", "1 day", "2 days 4 h", "\u2013")
  )
})

test_that("a change says how far and which way, rates in points", {
  expect_equal(change_of(112.5, 100), list(arrow = "\u25b2", word = "up", text = "12.5 %"))
  expect_equal(change_of(0.11, 0.122, TRUE), list(arrow = "\u25bc", word = "down", text = "1.2 points"))
  expect_equal(change_of(5, 5)$word, "unchanged")
  expect_equal(change_of(100001, 100000)$word, "unchanged")
  expect_equal(change_of(0, 0)$word, "unchanged")
  expect_equal(change_of(3, 0)$text, "new")
  expect_equal(change_of(NA, 3)$text, "\u2013")
})

test_that("login states have names, unknown ones their own", {
  named <- c("Logged in, unverified", "Logged in, verified", "Not said", "robot")
  expect_equal(login_state_text(c("logged_in", "verified", "", "robot")), named)
})

test_that("a sparkline has gaps where nothing is known, and dots for what stands alone", {
  expect_equal(sparkline_path(c(0, 10)), "M2.0 22.0L98.0 2.0")
  expect_equal(sparkline_path(c(1, NA, 1)), "M2.0 2.0h0M98.0 2.0h0")
  expect_equal(sparkline_path(c(0, 0, 0)), "M2.0 22.0L50.0 22.0L98.0 22.0")
  expect_equal(sparkline_path(5), "M50.0 2.0h0")
  expect_equal(sparkline_path(c(NA, NA)), "")
})

test_that("a sparkline says its numbers", {
  expect_equal(
    sparkline_text("Sessions", c("2026-03-01 00:00", "2026-03-02 00:00"), c(3, 1), "day", count_text),
    "Sessions by day: lowest 1 (2026-03-02), highest 3 (2026-03-01), last 1."
  )
  expect_match(sparkline_text("Sessions", "2026-03-01 00:00", NA, "day", count_text), "nothing in this period")
})
