# How often the page looks whether the database is back, in milliseconds.
RETRY_MILLISECONDS <- 3000

page_ui <- function(settings, events) {
  bslib::page_navbar(
    title = settings$title, lang = "en", window_title = settings$title,
    theme = bslib::bs_theme(version = 5, preset = "bootstrap"),
    fillable = FALSE,
    header = shiny::tags$head(
      shiny::tags$meta(name = "clickstream-events-last-hour", content = events),
      shiny::tags$link(rel = "stylesheet", href = "style.css"),
      shiny::tags$link(rel = "icon", href = "data:,") # none, and no request for one
    ),
    sidebar = bslib::sidebar(filters_ui("filters"), title = "Filters", open = list(desktop = "open", mobile = "closed")),
    bslib::nav_panel("Overview", overview_ui("overview"))
  )
}

# What a machine reads off the page to know that server, app and database work together; "unknown" while the
# database does not answer.
events_of_last_hour <- function(database, queries) {
  tryCatch(as.character(database$ask(queries$last_hour)$events), error = function(error) "unknown")
}

page_server <- function(settings, database, queries) {
  tick <- ticker(settings$refresh_seconds, database$healthy)
  period <- filters_server("filters", settings$time_zone, tick)
  overview_server("overview", settings$time_zone, database, queries, period, tick)
}

# A reactive that changes every refresh_seconds, and sooner while the database does not answer.
ticker <- function(refresh_seconds, healthy) {
  shiny::reactivePoll(
    RETRY_MILLISECONDS, shiny::getDefaultReactiveDomain(),
    checkFunc = function() if (healthy()) floor(as.numeric(Sys.time()) / refresh_seconds) else Sys.time(),
    valueFunc = function() Sys.time()
  )
}

# A chart in a frame with a heading.
chart_card <- function(title, chart) {
  bslib::card(full_screen = TRUE, bslib::card_header(shiny::h2(title, class = "h6 mb-0")), chart)
}
