# Visits: how long and deep they are, who comes back, and what happened in one.
sessions_page <- function() {
  list(id = "sessions", title = "Sessions", ui = sessions_ui, server = sessions_server, params = list(session = ""))
}

NO_SESSIONS <- "No session began in this period."

sessions_ui <- function(id, params) {
  ns <- shiny::NS(id)
  shiny::tagList(
    chart_card_ui(
      ns("by_time"), "New and returning visitors",
      paste(
        "Sessions by when they began. New: the visitor's first (with a category or brand: the first that has to do",
        "with it)."
      )
    ),
    bslib::layout_columns(
      col_widths = bslib::breakpoints(xs = 12, lg = c(6, 6)),
      chart_card_ui(
        ns("lengths"), "Session length",
        "Sessions by the time from their first event to their last. One moment: nothing happened after the first."
      ),
      chart_card_ui(ns("depths"), "Session depth", "Sessions by their number of page views.")
    ),
    table_card_ui(
      ns("recent"), "Recent sessions", "The newest 100 of the period. Choose one to see what happened in it."
    ),
    session_timeline_ui(ns("timeline"))
  )
}

sessions_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    unit <- shiny::reactive(bucket_of(context$filters()))
    none <- function(data) sum(data$new_sessions, data$returning_sessions) == 0
    parts <- c("New" = "new_sessions", "Returning" = "returning_sessions")
    chart_card_server(
      "by_time", context, shiny::reactive(context$query("sessions_by_time", unit(), is_empty = none)),
      draw = function(data) stacked_chart(data, parts, unit()),
      describe = function(data) stacked_text(data, parts, unit()), empty = NO_SESSIONS
    )

    for (name in c("lengths", "depths")) session_classes_server(name, context)

    recent <- shiny::reactive(with_session_key(context$query("recent_sessions")))
    chosen <- table_card_server(
      "recent", context, recent,
      columns = c(
        "Began" = "started", "Length" = "seconds", "Events" = "events", "Page views" = "page_views",
        "Login state" = "login_state", "Visitor" = "kind", "First page" = "first_page", "Client" = "client_id"
      ),
      texts = list(
        started = moment_text, seconds = duration_text, login_state = login_state_text, first_page = page_text,
        client_id = function(id) short_label(id, 14)
      ),
      choose = "session", empty = NO_SESSIONS
    )
    shiny::observeEvent(chosen(), {
      context$params$session <- chosen()
      session$sendCustomMessage("lead_to", session$ns("timeline-place"))
    })
    session_timeline_server("timeline", context)
  })
}

# A chart of session_lengths.sql or session_depths.sql.
session_classes_server <- function(name, context) {
  query <- paste0("session_", name)
  none <- function(data) sum(data$sessions) == 0
  classes <- shiny::reactive(with_previous_rows(
    context$query(query, is_empty = none), context$query(query, is_empty = none, previous = TRUE),
    "position", "sessions"
  ))
  chart_card_server(
    name, context, classes,
    draw = function(data) classes_chart(data, data$label, "sessions"),
    describe = function(data) classes_text(data$label, data$sessions, "sessions"), empty = NO_SESSIONS
  )
}

# A moment in local time ('YYYY-MM-DD HH:MM:SS') on one line, to the minute.
moment_text <- function(text) {
  moment <- strptime(text, "%Y-%m-%d %H:%M:%S", tz = "UTC")
  or_dash(text, gsub(" ", "\u00a0", format(moment, "%d %b %Y %H:%M"), fixed = TRUE))
}

# A page's address without its host; the CSV has the whole address.
page_text <- function(url) {
  short_label(sub("^https?://[^/]+", "", url), 60)
}

# Adds a key that identifies each session, for the URL: visitor and start.
with_session_key <- function(result) {
  if (result$state != "error") {
    result$data$session <- paste(result$data$visitor, result$data$started_at, sep = "@", recycle0 = TRUE)
    result$data$kind <- ifelse(result$data$is_new, "new", "returning")
  }
  result
}
