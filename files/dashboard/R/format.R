# Numbers as text. What is not known (NA) is a dash, never a zero.
DASH <- "\u2013"

or_dash <- function(number, text) {
  ifelse(is.na(number), DASH, text)
}

# 1234567 as "1,234,567".
count_text <- function(number) {
  or_dash(number, formatC(as.numeric(number), format = "f", digits = 0, big.mark = ","))
}

# 1234.5 as "1,234.50 EUR", with the decimals that the currency (its ISO code) has.
money_text <- function(amount, currency) {
  or_dash(amount, paste(amount_text(amount, currency), currency))
}

# The same without the code, for where that stands in a heading.
amount_text <- function(amount, currency) {
  or_dash(amount, formatC(as.numeric(amount), format = "f", digits = currency_decimals(currency), big.mark = ","))
}

# As ISO 4217 has them: two, but for these.
currency_decimals <- function(currency) {
  none <- c(
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"
  )
  three <- c("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")
  if (currency %in% none) 0 else if (currency %in% three) 3 else 2
}

# The currency of a query's rows: each says the same, but those that only the period before has.
currency_of <- function(data) stats::na.omit(data$currency)[1]

# 0.0423 as "4.2 %".
rate_text <- function(rate, digits = 1) {
  or_dash(rate, paste0(formatC(100 * as.numeric(rate), format = "f", digits = digits), " %"))
}

# Seconds as "45 s", "3 min 5 s", "2 h 10 min", "3 days 4 h".
duration_text <- function(seconds) {
  vapply(as.numeric(seconds), one_duration_text, "")
}

one_duration_text <- function(seconds) {
  if (is.na(seconds)) {
    return(DASH)
  }
  seconds <- round(seconds)
  units <- c(days = 86400, h = 3600, min = 60, s = 1)
  first <- which(seconds >= units)
  if (length(first) == 0) {
    return("0 s")
  }
  first <- first[1]
  whole <- seconds %/% units[first]
  rest <- if (first < length(units)) (seconds %% units[first]) %/% units[first + 1] else 0
  name <- if (names(units)[first] == "days" && whole == 1) "day" else names(units)[first]
  paste0(whole, " ", name, if (rest > 0) paste0(" ", rest, " ", names(units)[first + 1]))
}

# How a number changed: list(arrow, word, text), the text "12.5 %" of counts and durations and "1.2 points" of rates.
change_of <- function(now, before, is_rate = FALSE) {
  if (is.na(now) || is.na(before)) {
    return(list(arrow = "", word = "not comparable", text = DASH))
  }
  if (!is_rate && before == 0 && now > 0) {
    return(list(arrow = "\u25b2", word = "up", text = "new"))
  }
  change <- 100 * if (is_rate) now - before else if (before == 0) 0 else (now - before) / before
  shown <- formatC(abs(change), format = "f", digits = 1, big.mark = ",")
  text <- paste(shown, if (is_rate) "points" else "%")
  if (shown == "0.0") {
    list(arrow = "=", word = "unchanged", text = text)
  } else if (change > 0) {
    list(arrow = "\u25b2", word = "up", text = text)
  } else {
    list(arrow = "\u25bc", word = "down", text = text)
  }
}

# The names of login states in sentences and charts.
login_state_text <- function(state) {
  found <- names(LOGIN_STATES)[match(state, LOGIN_STATES)]
  ifelse(state == "", "Not said", ifelse(is.na(found), state, found))
}
