# The periods that can be chosen, by their values: days that end with today.
period_presets <- c("Today" = 1, "7 days" = 7, "30 days" = 30, "90 days" = 90, "365 days" = 365)

# Today in a time zone, as Date.
today_in <- function(time_zone, now = Sys.time()) {
  as.Date(format(now, tz = time_zone, format = "%Y-%m-%d"))
}

# The period of a choice: a preset ("7") or "custom" with two dates in any order.
# Returns list(from, to), both days included; NULL while a custom date is empty.
chosen_period <- function(choice, dates, today) {
  if (identical(choice, "custom")) {
    if (length(dates) != 2 || anyNA(dates)) {
      return(NULL)
    }
    return(list(from = min(dates), to = max(dates)))
  }
  list(from = today - as.integer(choice) + 1, to = today)
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
