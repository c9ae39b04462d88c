# On the host, as the dashboard's user, against the real warehouse: verify.yml put five events there.
app <- Sys.getenv("DASHBOARD_APP")
for (file in list.files(file.path(app, "R"), full.names = TRUE)) source(file)
settings <- read_settings(file.path(app, "config.yml"))
queries <- read_queries(file.path(app, "queries"))
database <- new_database(settings$database)
zone <- settings$time_zone
today <- today_in(zone)

run <- function(query, from, to, ...) database$query(queries[[query]], from, to, zone, "", "", "", ...)

test_that("today begins at the time zone's midnight and goes to now", {
  numbers <- run("totals", today, today)
  expect_equal(c(numbers$page_views, numbers$visitors, numbers$sessions), c(2, 2, 2))
})

test_that("seven days have yesterday's last second, and not last year's event", {
  expect_equal(run("totals", today - 6, today)$sessions, 3)
})

test_that("every hour and day of the period is there, and they sum up to the numbers", {
  hours <- run("events_by_time", today, today, "hour")
  expect_equal(hours$bucket[1], paste(today, "00:00"))
  expect_equal(sum(hours$events), 3)
  expect_equal(nrow(hours), as.integer(format(Sys.time(), tz = zone, "%H")) + 1)
  days <- run("events_by_time", today - 6, today, "day")
  expect_equal(days$events, c(0, 0, 0, 0, 0, 1, 3))
})

test_that("the mix names every event, the most frequent first", {
  mix <- run("events_by_name", today - 6, today)
  expect_equal(mix$event_name, c("page_view", "click"))
  expect_equal(mix$events, c(3, 1))
})

test_that("an empty period has empty days and no names", {
  from <- today - 3000
  expect_equal(run("events_by_time", from, from + 2, "day")$events, c(0, 0, 0))
  expect_equal(nrow(run("events_by_name", from, from)), 0)
})

test_that("freshness names the last event", {
  last <- database$query(queries$freshness, zone)$last_event
  expect_match(last, paste0("^", today))
})

test_that("what somebody types is a value and no SQL", {
  expect_error(run("totals", "2026-01-01'; DROP TABLE clickstream_events; --", today))
  expect_gt(database$query("SELECT count(*) AS n FROM clickstream_events")$n, 0)
})

test_that("the dashboard's user can read and nothing else", {
  database$query("SELECT set_config('default_transaction_read_only', 'off', false)") # the privileges must do
  for (statement in c(
    "INSERT INTO event_name_aliases VALUES ('a', 'b')",
    "DELETE FROM clickstream_events",
    "CREATE TABLE mine (n integer)",
    "CREATE TEMPORARY TABLE mine (n integer)",
    "COPY clickstream_events TO '/tmp/stolen'",
    "SELECT pg_read_file('/etc/passwd')",
    "SET ROLE clickstream_owner"
  )) {
    expect_error(database$query(statement), class = "query_failed", info = statement)
  }
  expect_equal(database$query("SELECT current_user::text AS who")$who, "clickstream_reader")
})
