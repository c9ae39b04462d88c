written <- function(data) {
  file <- tempfile()
  write_csv(data, file)
  readBin(file, "raw", 10000)
}

test_that("a download is UTF-8 that says so", {
  bytes <- written(data.frame(name = "M\u00e1y \"t\u00ednh\"", views = 3))
  expect_equal(bytes[1:3], as.raw(c(0xef, 0xbb, 0xbf)))
  expect_equal(
    `Encoding<-`(rawToChar(bytes[-(1:3)]), "UTF-8"), "\"name\",\"views\"\r\n\"M\u00e1y \"\"t\u00ednh\"\"\",3\r\n"
  )
})

test_that("numbers are whole and exact, and what is not known is empty", {
  text <- rawToChar(written(data.frame(events = c(12100000, NA), rate = c(0.5, NA)))[-(1:3)])
  expect_equal(text, "\"events\",\"rate\"\r\n12100000,0.5\r\n,\r\n")
  expect_match(rawToChar(written(data.frame(n = 1e15))[-(1:3)]), "1000000000000000", fixed = TRUE)
  expect_match(rawToChar(written(data.frame(n = 1e5))[-(1:3)]), "100000", fixed = TRUE)
})

test_that("a spreadsheet takes no text for a formula", {
  text <- rawToChar(written(data.frame(name = c("=HYPERLINK(1)", "+1", "-1", "@x", "a=b"), n = -1))[-(1:3)])
  expect_match(text, "\"'=HYPERLINK(1)\",-1\r\n\"'+1\",-1\r\n\"'-1\",-1\r\n\"'@x\",-1\r\n\"a=b\",-1", fixed = TRUE)
})

test_that("no rows are the columns' names alone", {
  expect_equal(rawToChar(written(data.frame(name = character(), n = numeric()))[-(1:3)]), "\"name\",\"n\"\r\n")
})

test_that("a file's name says page, card and period", {
  week <- list(from = as.Date("2026-03-01"), to = as.Date("2026-03-07"))
  expect_equal(csv_name("overview", "event_mix", week), "overview-event-mix-2026-03-01-to-2026-03-07.csv")
})
