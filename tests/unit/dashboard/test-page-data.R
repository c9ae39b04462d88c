# Funnel, Sessions and Data quality: what pages make of results before they show them.

steps_of <- function(value, reached, seconds = c(NA, 10, 20, 30)) {
  data.frame(
    value = value, step = 1:4, event_name = c("product_view", "add_to_cart_click", "checkout_start", "checkout_complete"),
    reached = reached, share = reached / reached[1], drop_off = c(NA, 1 - reached[-1] / reached[-4]),
    median_seconds = seconds
  )
}
ok <- function(data) list(state = "ok", data = data, message = NULL)
failed <- list(state = "error", data = NULL, message = "The database does not answer.")

test_that("four steps become one row per value, in the order of the values", {
  result <- ok(rbind(steps_of("laptop", c(100, 20, 10, 5)), steps_of("", c(50, 0, 0, 0))))
  result <- with_value_names(with_step_names(result), "login_state")
  wide <- one_row_per_value(result)$data
  expect_equal(wide$value, c("laptop", ""))
  expect_equal(wide$value_name, c("laptop", "Not said"))
  expect_equal(c(wide$views[1], wide$carts[1], wide$checkouts[1], wide$purchases[1]), c(100, 20, 10, 5))
  expect_equal(c(wide$cart_rate[1], wide$checkout_rate[1], wide$purchase_rate[1]), c(0.2, 0.5, 0.5))
  expect_equal(wide$overall_rate, c(0.05, 0))
  expect_equal(wide$cart_seconds, c(10, 10))
  expect_true(is.nan(wide$checkout_rate[2]) || is.na(wide$checkout_rate[2]))
})

test_that("errors and nothing go through as they are", {
  empty <- list(state = "empty", data = steps_of("", 1:4)[0, ], message = NULL)
  for (result in list(failed, empty)) {
    expect_equal(one_row_per_value(with_value_names(with_step_names(result), "brand"))$state, result$state)
    expect_equal(with_product_text(result)$state, result$state)
  }
  expect_equal(with_session_key(failed), failed)
  expect_equal(with_all_events(failed), failed)
})

test_that("the funnel says each step and what was lost on the way to it", {
  said <- funnel_text(with_step_names(ok(steps_of("", c(1000, 250, 100, 50))))$data, "Sessions")
  expect_equal(
    said,
    "Sessions. Product view: 1,000. Cart: 250, 75.0 % lost. Checkout: 100, 60.0 % lost. Purchase: 50, 50.0 % lost."
  )
})

test_that("a session's key is taken apart, and what is none is none", {
  key <- "-8117753776773819700@2025-10-30T00:46:41.067486Z"
  expect_equal(session_key(key), c("-8117753776773819700", "2025-10-30T00:46:41.067486Z"))
  for (text in c("", "x", "1@2025-10-30", "1'; DROP TABLE sessions; --@2025-10-30T00:46:41.067486Z", paste0(key, "x"))) {
    expect_null(session_key(text), info = text)
  }
  sessions <- with_session_key(ok(data.frame(visitor = "5", started_at = "t", is_new = c(TRUE, FALSE))))$data
  expect_equal(sessions$session, c("5@t", "5@t"))
  expect_equal(sessions$kind, c("new", "returning"))
  nothing <- with_session_key(list(state = "empty", data = sessions[0, ], message = NULL))
  expect_equal(nrow(nothing$data), 0)
})

test_that("times and pages are short, and what is unknown is a dash", {
  expect_equal(moment_text(c("2026-11-20 23:54:38", NA)), c("20\u00a0Nov\u00a02026\u00a023:54", DASH))
  expect_equal(clock_text("2026-11-20 23:54:38"), "23:54:38")
  expect_equal(page_text("https://shop.example/p/7?a=b"), "/p/7?a=b")
  expect_equal(nchar(page_text(strrep("x", 100))), 60)
  expect_equal(event_state_text(c("guest", NA)), c("Guest", "Not said"))
})

test_that("bots count in the lag, and no event at all is empty", {
  expect_equal(with_all_events(ok(data.frame(events = c(1, 2), bots = c(3, 0))))$data$all, c(4, 2))
  expect_equal(with_all_events(ok(data.frame(events = 0, bots = 0)))$state, "empty")
})

test_that("what waits is said, also before the first run", {
  expect_equal(
    waiting_text(data.frame(objects_left = 12, objects_failed = 0, objects_set_aside = 3)),
    paste(
      "Objects that the last run left for the next: 12. Could not be read, and are tried again: 0.",
      "Set aside, because the warehouse failed on them: 3."
    )
  )
  none <- data.frame(objects_left = NA_real_, objects_failed = 1, objects_set_aside = 0)
  expect_match(waiting_text(none), "^No run of the ETL has finished yet")
})

# What a chart sends is what plotly_build() would have sent; that adds defaults, and repeats one text for each point.
expect_drawn_as <- function(sent, built) {
  json <- function(value) as.character(plotly:::to_JSON(value)) # nolint: undesirable_operator_linter. It is what plotly sends.
  for (name in names(sent)) {
    if (is.list(sent[[name]]) && !is.null(names(sent[[name]]))) {
      expect_drawn_as(sent[[name]], built[[name]])
    } else if (name == "text") {
      expect_equal(as.character(sent[[name]]), as.character(built[[name]]))
    } else if (is.character(sent[[name]]) && length(sent[[name]]) == 1 && length(built[[name]]) > 1) {
      expect_equal(unique(built[[name]]), unclass(sent[[name]]), label = name)
    } else {
      expect_equal(json(sent[[name]]), json(built[[name]]), label = name)
    }
  }
}

test_that("every chart can be drawn, with and without a period to compare with", {
  steps <- with_step_names(ok(steps_of("", c(100, 20, 10, 5))))$data
  compared <- cbind(steps, previous_reached = c(90, 20, 10, 5))
  parts <- cbind(steps, value_name = "Guest")
  classes <- data.frame(label = c("0", "1"), sessions = c(3, 4))
  days <- data.frame(bucket = c("2026-01-01 00:00", "2026-01-02 00:00"), one = 1:2, two = 3:4)
  events <- data.frame(bucket = days$bucket, events = c(7, 8), previous_events = 1:2, previous_bucket = days$bucket)
  one <- data.frame(
    key = "p1", name = "<b>One</b>", views = 20, carts = 2, purchases = 1, view_to_cart = 0.1, price = 5, discount = 0.2,
    revenue = 3.5, currency = "EUR"
  )
  orders <- data.frame(bucket = days$bucket, orders = 1, revenue = c(0.4, 19.99), currency = "EUR")
  for (chart in list(
    over_time_chart(events, "events", "day", "Events"), revenue_chart(orders, "day"), counts_chart(events[1, ], "page_view"),
    counts_chart(cbind(events["previous_events"], events = c(NA, 3)), c("one", "two")),
    activity_chart(data.frame(weekday = 1:7, hour = 0, events = 3)),
    top_products_chart(one, "views"), top_products_chart(one, "revenue"), discount_chart(one), discount_chart(rbind(one, one)),
    product_trend_chart(cbind(days, one[c("views", "carts", "purchases")])),
    funnel_chart(steps), funnel_chart(compared), funnel_shares_chart(parts),
    classes_chart(classes, classes$label, "sessions"),
    classes_chart(cbind(classes, previous_sessions = 1), classes$label, "sessions"),
    stacked_chart(days, c("One" = "one", "Two" = "two"), "day")
  )) {
    widget <- quiet_widget(chart)
    expect_s3_class(widget, "plotly")
    expect_gt(length(widget$x$data), 0)
    expect_setequal(names(widget$x), c("data", "layout", "config", "source", "highlight", "base_url"))
    built <- plotly::plotly_build(chart)
    expect_equal(length(widget$x$data), length(built$x$data))
    given <- Filter(function(trace) !is.null(trace$type), unname(chart$x$attrs))
    for (n in seq_along(widget$x$data)) {
      expect_setequal(names(widget$x$data[[n]]), setdiff(names(given[[n]]), c("alpha_stroke", "sizes", "spans", "inherit")))
      expect_drawn_as(widget$x$data[[n]], built$x$data[[n]])
    }
    expect_setequal(names(widget$x$layout), c("hovermode", names(chart$x$layoutAttrs[[1]])))
    expect_drawn_as(widget$x$layout, built$x$layout)
  }
  expect_equal(
    stacked_text(days, c("One" = "one", "Two" = "two"), "day"),
    "By day from 2026-01-01 00:00 to 2026-01-02 00:00: One 3, Two 7."
  )
  euros <- function(sum) money_text(sum, "EUR")
  expect_equal(
    over_time_text(orders, "revenue", "day", euros),
    paste(
      "20.39 EUR by day from 2026-01-01 00:00 to 2026-01-02 00:00.",
      "Most: 19.99 EUR at 2026-01-02 00:00. Fewest: 0.40 EUR at 2026-01-01 00:00."
    )
  )
  expect_equal(top_products_text(one, "revenue"), "<b>One</b> 3.50 EUR.")
  expect_equal(classes_text(c("0", "1"), c(1, 3), "sessions"), "4 sessions. 0: 1 (25.0 %), 1: 3 (75.0 %).")
})
