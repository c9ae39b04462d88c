# The periods that can be chosen, by their values: days that end with today.
period_presets <- c("Today" = "1", "7 days" = "7", "30 days" = "30", "90 days" = "90", "365 days" = "365")

# As many days as a period may have, and the first day there is: charts have a point for each.
LONGEST_PERIOD <- 1830
FIRST_DAY <- as.Date("2000-01-01")

# Today in a time zone, as Date.
today_in <- function(time_zone, now = Sys.time()) {
  as.Date(format(now, tz = time_zone, format = "%Y-%m-%d"))
}

# Whether two dates, in any order, can be looked at.
is_period <- function(dates) {
  length(dates) == 2 && !anyNA(dates) && min(dates) >= FIRST_DAY &&
    max(dates) < as.Date("2100-01-01") && as.integer(max(dates) - min(dates)) < LONGEST_PERIOD
}

# The period of a choice: a preset ("7") or "custom" with two dates in any order.
# Returns list(from, to), both days included; NULL while the custom dates are none.
chosen_period <- function(choice, dates, today) {
  if (identical(choice, "custom")) {
    if (!is_period(dates)) {
      return(NULL)
    }
    return(list(from = min(dates), to = max(dates)))
  }
  list(from = today - as.integer(choice) + 1, to = today)
}

# The period of the same length just before.
previous_period <- function(period) {
  list(from = period$from - as.integer(period$to - period$from) - 1, to = period$from - 1)
}

# How finely a chart divides the period: "hour" up to two days, else "day".
bucket_of <- function(period) {
  if (as.integer(period$to - period$from) < 2) "hour" else "day"
}

# The period in words.
describe_period <- function(period) {
  if (period$from == period$to) {
    return(format(period$from))
  }
  paste(format(period$from), "to", format(period$to))
}
