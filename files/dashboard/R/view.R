# A view is what the URL describes: list(page, period, from, to, compare, login_state, category, brand, params).
# period is a preset's number of days or "custom"; from and to are the Dates of a custom period, else NULL;
# params are the page's parameters (page.R).

# Of those who are logged in, whether a token proved it or the page says so.
LOGIN_STATES <- c(
  "Any" = "", "Logged in, verified" = "verified", "Logged in, unverified" = "logged_in",
  "Guest" = "guest", "Anonymous" = "anonymous"
)
DEFAULT_PERIOD <- "7"

# The view of a URL's query string. What is missing or not valid becomes the default: a link may be old or cut off.
# Whether a category or brand exists is checked later (mod_filters.R).
view_from_url <- function(search, pages, today) {
  parsed <- parse_query_string(search)
  page <- page_called(pages, parsed$page)
  dates <- parse_dates(parsed$from, parsed$to)
  period <- one_of(parsed$period, c(unname(period_presets), if (!is.null(dates)) "custom"), DEFAULT_PERIOD)
  list(
    page = page$id,
    period = period,
    from = if (period == "custom") dates[1],
    to = if (period == "custom") dates[2],
    compare = identical(parsed$compare, "1"),
    login_state = one_of(parsed$state, LOGIN_STATES, ""),
    category = short_text(parsed$category, ""),
    brand = short_text(parsed$brand, ""),
    params = parse_params(parsed, page$params)
  )
}

# A view's filters with the dates of its period and of the previous one: what context$filters gives (page.R).
filters_of_view <- function(view, today) {
  period <- chosen_period(view$period, c(view$from, view$to), today)
  c(period, view[c("period", "compare", "login_state", "category", "brand")], list(
    previous = if (view$compare) previous_period(period)
  ))
}

# The query string of a view: page and period, and what differs from the defaults.
url_from_view <- function(view, pages) {
  defaults <- lapply(page_called(pages, view$page)$params, `[[`, 1)
  params <- view$params[sort(names(view$params))]
  params <- params[!mapply(identical, params, defaults[names(params)])]
  filled <- list(state = view$login_state, category = view$category, brand = view$brand)
  values <- c(
    list(page = view$page, period = view$period),
    if (view$period == "custom") list(from = format(view$from), to = format(view$to)),
    if (isTRUE(view$compare)) list(compare = "1"),
    filled[filled != ""],
    params
  )
  encoded <- vapply(values, function(value) utils::URLencode(enc2utf8(as.character(value)), reserved = TRUE), "")
  paste0("?", paste0(names(values), "=", encoded, collapse = "&"))
}

# A query string as a named list of texts, the first of each name. Pairs that cannot be decoded are left out.
parse_query_string <- function(search) {
  pairs <- strsplit(sub("^[?]", "", if (is.null(search)) "" else search), "&", fixed = TRUE)[[1]]
  pairs <- regmatches(pairs, regexpr("=", pairs), invert = TRUE)
  pairs <- Filter(function(pair) length(pair) == 2, pairs)
  values <- lapply(pairs, function(pair) decode_percent(pair[2]))
  names(values) <- vapply(pairs, `[[`, "", 1)
  values <- values[!duplicated(names(values))]
  Filter(Negate(is.null), values)
}

# A percent-encoded UTF-8 text, decoded; NULL if it is not valid.
decode_percent <- function(text) {
  bytes <- tryCatch(charToRaw(utils::URLdecode(gsub("+", " ", text, fixed = TRUE))),
    error = function(error) NULL, warning = function(warning) NULL
  )
  if (is.null(bytes) || any(bytes == 0)) {
    return(NULL)
  }
  value <- `Encoding<-`(rawToChar(bytes), "UTF-8")
  if (validUTF8(value)) value
}

# Two days in order, or NULL.
parse_dates <- function(from, to) {
  day <- function(text) {
    if (is.null(text) || !grepl("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text)) {
      return(as.Date(NA))
    }
    as.Date(text, format = "%Y-%m-%d")
  }
  dates <- c(day(from), day(to))
  if (is_period(dates)) sort(dates)
}

parse_params <- function(parsed, params) {
  stats::setNames(lapply(names(params), function(name) {
    allowed <- params[[name]]
    if (length(allowed) > 1) one_of(parsed[[name]], allowed, allowed[1]) else short_text(parsed[[name]], allowed)
  }), names(params))
}

one_of <- function(value, allowed, default) {
  if (!is.null(value) && value %in% as.character(allowed)) value else default
}

# Labels in the warehouse are no longer than 200 characters.
short_text <- function(value, default) {
  if (!is.null(value) && nchar(value) <= 200) value else default
}

# Keeps URL and view equal: each choice becomes a step in the browser's history, and going back (www/app.js sends the event
# as input$went_back) shows the view of that step again.
#
# read: function that gives the view of a query string; show: function that sets all inputs to a view.
follow_url <- function(input, view, read, pages, show) {
  current <- NULL # the query string of what is shown; NULL before the first
  going_back <- FALSE

  shiny::observe({
    query <- url_from_view(view(), pages)
    if (!identical(query, current)) {
      shiny::updateQueryString(query, mode = if (is.null(current) || going_back) "replace" else "push")
      current <<- query
    }
    going_back <<- FALSE
  })
  shiny::observeEvent(input$went_back, {
    target <- read(input$went_back)
    current <<- url_from_view(target, pages)
    going_back <<- TRUE
    show(target)
  })
}
