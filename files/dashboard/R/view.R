# A view is what somebody looks at, and all that the URL says:
# list(page, period, from, to, compare, login_state, category, brand, own).
# period is a preset's number of days or "custom"; from and to are Dates of a custom period, else NULL;
# own are the page's own parameters.

LOGIN_STATES <- c("Any" = "", "Logged in" = "logged_in", "Guest" = "guest", "Anonymous" = "anonymous")
DEFAULT_PERIOD <- "7"

# The view of a query string. What it does not say, or says wrongly, is the default: a link may be old or cut off.
# Whether a category or brand exists is known later (mod_filters.R).
view_of_query <- function(search, pages, today) {
  said <- said_in_query(search)
  page <- page_called(pages, said$page)
  dates <- dates_said(said$from, said$to)
  period <- one_of(said$period, c(unname(period_presets), if (!is.null(dates)) "custom"), DEFAULT_PERIOD)
  list(
    page = page$id,
    period = period,
    from = if (period == "custom") dates[1],
    to = if (period == "custom") dates[2],
    compare = identical(said$compare, "1"),
    login_state = one_of(said$state, LOGIN_STATES, ""),
    category = short_text(said$category, ""),
    brand = short_text(said$brand, ""),
    own = own_said(said, page$own)
  )
}

# What pages are about (page.R) in a view: its period in days, and the one before.
chosen_of_view <- function(view, today) {
  period <- chosen_period(view$period, c(view$from, view$to), today)
  c(period, view[c("period", "compare", "login_state", "category", "brand")], list(
    previous = if (view$compare) previous_period(period)
  ))
}

# The query string of a view, with what differs from the defaults.
query_of_view <- function(view, pages) {
  defaults <- lapply(page_called(pages, view$page)$own, `[[`, 1)
  own <- view$own[sort(names(view$own))]
  own <- own[!mapply(identical, own, defaults[names(own)])]
  filled <- list(state = view$login_state, category = view$category, brand = view$brand)
  said <- c(
    list(page = view$page, period = view$period),
    if (view$period == "custom") list(from = format(view$from), to = format(view$to)),
    if (isTRUE(view$compare)) list(compare = "1"),
    filled[filled != ""],
    own
  )
  values <- vapply(said, function(value) utils::URLencode(enc2utf8(as.character(value)), reserved = TRUE), "")
  paste0("?", paste0(names(said), "=", values, collapse = "&"))
}

# A query string as a named list of texts, the first of each name. What cannot be read is left out by itself.
said_in_query <- function(search) {
  pairs <- strsplit(sub("^[?]", "", if (is.null(search)) "" else search), "&", fixed = TRUE)[[1]]
  pairs <- regmatches(pairs, regexpr("=", pairs), invert = TRUE)
  pairs <- Filter(function(pair) length(pair) == 2, pairs)
  values <- lapply(pairs, function(pair) decoded(pair[2]))
  names(values) <- vapply(pairs, `[[`, "", 1)
  values <- values[!duplicated(names(values))]
  Filter(Negate(is.null), values)
}

# A percent-encoded UTF-8 text; NULL if it is none.
decoded <- function(text) {
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
dates_said <- function(from, to) {
  day <- function(text) {
    if (is.null(text) || !grepl("^[0-9]{4}-[0-9]{2}-[0-9]{2}$", text)) {
      return(as.Date(NA))
    }
    as.Date(text, format = "%Y-%m-%d")
  }
  dates <- c(day(from), day(to))
  if (is_period(dates)) sort(dates)
}

own_said <- function(said, own) {
  stats::setNames(lapply(names(own), function(name) {
    allowed <- own[[name]]
    if (length(allowed) > 1) one_of(said[[name]], allowed, allowed[1]) else short_text(said[[name]], allowed)
  }), names(own))
}

one_of <- function(value, allowed, default) {
  if (!is.null(value) && value %in% as.character(allowed)) value else default
}

# Labels in the warehouse are no longer than 200 characters.
short_text <- function(value, default) {
  if (!is.null(value) && nchar(value) <= 200) value else default
}

# Keeps URL and view the same: the URL follows what somebody chooses, as a step that the browser can go back; going
# back (www/app.js tells) shows that view again.
#
# read: function that gives a view of a query string; show: function that shows one.
follow_url <- function(input, view, read, pages, show) {
  current <- NULL # the query string of what is shown; NULL before the first
  going_back <- FALSE

  shiny::observe({
    query <- query_of_view(view(), pages)
    if (!identical(query, current)) {
      shiny::updateQueryString(query, mode = if (is.null(current) || going_back) "replace" else "push")
      current <<- query
    }
    going_back <<- FALSE
  })
  shiny::observeEvent(input$went_back, {
    target <- read(input$went_back)
    current <<- query_of_view(target, pages)
    going_back <<- TRUE
    show(target)
  })
}
