queries <- read_queries(file.path(app, "queries"))
week <- list(from = as.Date("2026-03-01"), to = as.Date("2026-03-07"))
code <- unlist(lapply(list.files(file.path(app, "R"), full.names = TRUE), readLines))
code <- grep("^ *#", code, value = TRUE, invert = TRUE)

# A context over a database with given results.
context_of <- function(database, values = list(), params = list()) {
  defaults <- c(week, list(
    login_state = "", category = "", brand = "", period = "custom", compare = FALSE
  ))
  values <- utils::modifyList(defaults, values)
  filters <- list(values = reactive(values), choose = function(name, value) NULL)
  page_context(
    list(id = "overview"), list(time_zone = "Asia/Ho_Chi_Minh"), database, queries, filters,
    do.call(reactiveValues, params), reactive(0)
  )
}

test_that("every page is a list of what the frame needs", {
  pages <- all_pages()
  expect_equal(vapply(pages, `[[`, "", "id"), c("overview", "funnel", "products", "sessions", "quality"))
  for (page in pages) {
    expect_setequal(names(page), c("id", "title", "ui", "server", "params"))
    expect_silent(page$ui(page$id, lapply(page$params, `[[`, 1)))
  }
})

test_that("a page is rendered once, and again for other parameters than the defaults", {
  made <- 0
  page <- list(id = "shelf", params = list(by = c("views", "carts")), ui = function(id, params) {
    made <<- made + 1
    tags$p(params$by)
  })
  prepared <- prepared_pages(list(page))[[1]]
  expect_match(as.character(prepared$ui("shelf", list(by = "views"))), "views")
  prepared$ui("shelf", list(by = "views"))
  expect_equal(made, 1)
  expect_match(as.character(prepared$ui("shelf", list(by = "carts"))), "carts")
})

test_that("every query that a page runs has its file", {
  run <- unlist(regmatches(code, gregexpr("(?<=query\\(\")[a-z_]+", code, perl = TRUE)))
  expect_gt(length(run), 10)
  expect_equal(setdiff(run, names(queries)), character())
})

test_that("the funnel has a query for each unit that it counts", {
  expect_setequal(names(FUNNEL_QUERIES), FUNNEL_UNITS)
  expect_equal(setdiff(FUNNEL_QUERIES, names(queries)), character())
})

test_that("no query is put together from what somebody typed", {
  expect_false(any(grepl("paste.*(SELECT|WHERE)|sprintf.*(SELECT|WHERE)", code)))
})

test_that("period, time zone and filters are bound, in this order", {
  database <- fake_database(data.frame(n = 1))
  context <- context_of(database, list(
    login_state = "guest", category = "laptop", brand = "Dell",
    previous = list(from = as.Date("2026-02-22"), to = as.Date("2026-02-28"))
  ))
  isolate({
    context$query("totals_over_time", "day")
    context$query("totals_over_time", "day", previous = TRUE)
  })
  sent <- database$sent()
  expect_equal(sent[[1]]$sql, queries$totals_over_time)
  expect_equal(sent[[1]]$bound, list(week$from, week$to, "Asia/Ho_Chi_Minh", "guest", "laptop", "Dell", "day"))
  expect_equal(sent[[2]]$bound[1:2], list(as.Date("2026-02-22"), as.Date("2026-02-28")))
})

test_that("without a comparison no query runs for the previous period", {
  database <- fake_database(data.frame(n = 1))
  expect_null(isolate(context_of(database)$query("totals", previous = TRUE)))
  expect_equal(length(database$sent()), 0)
})

totals <- data.frame(
  visitors = 12, sessions = 34, page_views = 1234567, conversion_rate = 0.05, cart_rate = NA_real_, bounce_rate = 0.4,
  mean_seconds = 185, orders = 3, units = 7, revenue = 1234.5, average_order_value = NA_real_, currency = "EUR"
)

# The text in a part of a KPI's card.
card_text <- function(output, part) {
  card <- sub(sprintf('.*?id="[^"]*%s">', part), "", as.character(output$cards$html))
  trimws(gsub("\\s+", " ", gsub("<[^>]*>", "", sub("</div>.*", "", card))))
}

test_that("KPIs show the numbers of the query", {
  testServer(kpis_server, args = list(context = context_of(fake_database(totals))), {
    expect_equal(card_text(output, "visitors_value"), "12")
    expect_equal(card_text(output, "page_views_value"), "1,234,567")
    expect_equal(card_text(output, "conversion_rate_value"), "5.0 %")
    expect_equal(card_text(output, "cart_rate_value"), "\u2013")
    expect_equal(card_text(output, "mean_seconds_value"), "3 min 5 s")
    expect_equal(card_text(output, "revenue_value"), "1,234.50 EUR")
    expect_equal(card_text(output, "average_order_value_value"), "\u2013")
    expect_equal(card_text(output, "units_value"), "7")
    expect_equal(card_text(output, "visitors_change"), "")
    expect_equal(output$problem, "")
  })
})

test_that("KPIs that could not be counted are dashes and not zeros", {
  suppressMessages(testServer(kpis_server, args = list(context = context_of(fake_database(stopped))), {
    expect_equal(card_text(output, "visitors_value"), "\u2013")
    expect_match(output$problem, "does not answer")
  }))
})

test_that("visits and orders are one row a period, and one a bucket", {
  visits <- as_result(data.frame(visitors = 1:2, bucket = c("2026-01-01", "2026-01-02")))
  sold <- as_result(data.frame(bucket = c("2026-01-02", "2026-01-01"), revenue = c(5, 6), currency = "VND"))
  expect_equal(with_orders(visits, sold)$data[c("visitors", "revenue")], data.frame(visitors = 1:2, revenue = c(6, 5)))
  one <- with_orders(as_result(data.frame(visitors = 3)), as_result(data.frame(value = "", revenue = 7)))
  expect_equal(one$data, data.frame(visitors = 3, revenue = 7))
  failed <- suppressMessages(as_result(stopped()))
  expect_equal(with_orders(visits, failed)$state, "error")
  expect_equal(with_orders(failed, sold)$state, "error")
  expect_null(with_orders(NULL, NULL))
})

test_that("a comparison says the change in words too", {
  context <- context_of(fake_database(totals), list(previous = list(from = week$from - 7, to = week$to - 7)))
  testServer(kpis_server, args = list(context = context), {
    expect_match(card_text(output, "visitors_change"), "unchanged.*from 12")
  })
})

ranked <- function(...) as_result(data.frame(key = c("a", "b", "c"), name = c("A", "B", "C"), ..., stringsAsFactors = FALSE))

test_that("the top is ranked by what was chosen, without rates of next to nothing", {
  products <- ranked(views = c(9, 100, 50), carts = c(9, 20, 5), purchases = c(0, 1, 5), view_to_cart = c(1, 0.2, 0.1))
  expect_equal(top_products(products, "views")$data$key, c("b", "c", "a"))
  expect_equal(top_products(products, "purchases")$data$key, c("c", "b"))
  expect_equal(top_products(products, "view_to_cart")$data$key, c("b", "c"))
  nothing <- ranked(views = 0, carts = 0, purchases = 0, view_to_cart = NA_real_)
  expect_equal(top_products(nothing, "views")$state, "empty")
})

test_that("what browsers sent is text in charts", {
  expect_equal(escape_html("<b>A&B</b>"), "&lt;b&gt;A&amp;B&lt;/b&gt;")
})

test_that("the choices of the filters keep what a link says while the database does not answer", {
  expect_null(suppressMessages(known_choices(fake_database(stopped), queries)))
  expect_equal(with_any(NULL, "Dell"), c("Any" = "", "Dell" = "Dell"))
  expect_equal(with_any(c("HP", "Dell"), "Dell"), c("Any" = "", "Dell" = "Dell", "HP" = "HP"))
})

test_that("the page says for machines what the database user sees, or that it does not know", {
  settings <- list(title = "Shop", time_zone = "UTC")
  page <- function(...) {
    database <- new_cached_database(fake_database(...), queries$data_version, 30, 300)
    view <- view_from_url("?period=30&category=laptop", all_pages(), as.Date("2026-03-07"))
    tags <- page_ui(all_pages(), settings, view, list(category = "laptop", brand = "HP"), events_of_last_hour(database, queries))
    htmltools::renderTags(tags)
  }
  rendered <- page(data.frame(events = 7))
  expect_match(as.character(rendered$head), 'name="clickstream-events-last-hour" content="7"')
  expect_match(as.character(page(stopped)$head), 'content="unknown"')
  expect_match(as.character(rendered$html), '<option value="30" selected>', fixed = TRUE)
  expect_match(as.character(rendered$html), '<option value="laptop" selected>', fixed = TRUE)
})
