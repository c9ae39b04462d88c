pages <- list(
  list(id = "overview", params = list()),
  list(id = "shelf", params = list(by = c("views", "carts"), product = ""))
)
today <- as.Date("2026-03-07")
read <- function(search) view_from_url(search, pages, today)

test_that("an empty query string is the default view", {
  for (search in list("", "?", NULL)) {
    view <- read(search)
    expect_equal(view[c("page", "period", "compare", "login_state", "category", "brand")], list(
      page = "overview", period = "7", compare = FALSE, login_state = "", category = "", brand = ""
    ))
    expect_null(view$from)
  }
})

test_that("a view survives its URL, whatever is in a name", {
  search <- paste0(
    "?page=shelf&period=custom&from=2026-01-01&to=2026-02-01&compare=1&state=guest&category=M%C3%A1y%20t%C3%ADnh",
    "&brand=A%26B%3D%25%2B%22%3C%3E&by=carts&product=lap%2F1%20%F0%9F%98%80"
  )
  view <- read(search)
  expect_equal(view$category, "M\u00e1y t\u00ednh")
  expect_equal(view$brand, "A&B=%+\"<>")
  expect_equal(view$params, list(by = "carts", product = "lap/1 \U0001f600"))
  expect_equal(url_from_view(view, pages), search)
  expect_equal(read(url_from_view(view, pages)), view)
})

test_that("what is not valid in a URL becomes the default, and the rest stands", {
  view <- read("?page=nope&period=8&from=2026-01-01&compare=yes&state=root&category=%ff&brand=%00&by=1")
  expect_equal(view, read(""))
  expect_equal(read("?state=guest&category=%ff&%&=&&x")$login_state, "guest")
  expect_equal(read("?period=custom&from=2026-02-30&to=2026-03-01")$period, "7")
  expect_equal(read("?period=custom&from=2026-03-01")$period, "7")
  expect_equal(read("?period=custom&from=0001-01-01&to=2026-03-01")$period, "7")
  expect_equal(read("?page=shelf&by=DROP")$params$by, "views")
  expect_equal(read(paste0("?brand=", strrep("x", 201)))$brand, "")
  expect_equal(read("?period=30&period=90")$period, "30")
})

test_that("dates the wrong way round are put right", {
  view <- read("?period=custom&from=2026-02-01&to=2026-01-01")
  expect_equal(c(view$from, view$to), as.Date(c("2026-01-01", "2026-02-01")))
})

test_that("a URL holds only what differs from the defaults", {
  expect_equal(url_from_view(read(""), pages), "?page=overview&period=7")
  expect_equal(url_from_view(read("?page=shelf"), pages), "?page=shelf&period=7")
})
