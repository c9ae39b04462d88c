# The frame around all pages: navigation, filters, heading, URL.
#
# How to add a page "funnel": in R/mod_funnel.R (and mod_funnel_*.R)
#
#   funnel_page <- function() {
#     list(id = "funnel", title = "Funnel", ui = funnel_ui, server = funnel_server,
#          params = list(by = c("session", "visitor"), step = ""))
#   }
#
# `params` are the page's parameters in the URL besides the filters (list() for none): the first value is the default; if
# there are several, only these are allowed; a single one admits any text.
#
#   funnel_ui <- function(id, params)       params: list of their values, for the inputs to start with: selected = params$by.
#                                           It must depend on nothing else: prepared_pages.R renders it once for all
#   funnel_server <- function(id, context)  calls shiny::moduleServer(id, function(input, output, session) ...)
#
# and its name in R/pages.R. What a context holds:
#
#   context$filters()   the period and filters: from, to (Dates), previous (list(from, to), or NULL while nothing is
#                       compared), login_state, category, brand ("" = any), period ("7", "custom"), compare
#   context$query("funnel", ..., previous = FALSE, is_empty = ...)
#                       runs queries/funnel.sql: its $1 to $6 are bound to first day, last day, time zone, login state,
#                       category and brand (queries/shared/filters.sql), those after them to `...`. Gives a result
#                       (results.R), to be used inside a reactive: the query runs again when filters or data change. With
#                       previous = TRUE it is about the previous period, and NULL while nothing is compared. Results are
#                       shared by all visitors (cached_database.R).
#   context$params      reactiveValues of the page's parameters; write them and the URL follows. They also change when
#                       somebody goes back. sync_inputs(input, session, context$params, "by") keeps one and its selectInput
#                       (or radioButtons) of the same name equal, both ways.
#   context$filter("category", value)  chooses a filter (login_state, category, brand), as if somebody had
#   context$page        its id;  context$settings  config.yml;  context$time_zone  its IANA name
#
# An output shows a result by require_data(), which puts a message in its place while it is empty or an error.
# Cards (card.R) do that and all else that charts and tables share (CSV, help, text alternative, full screen):
#
#   chart_card_ui(ns("steps"), "Steps", help = "Sessions that reached each step, in order.")
#   chart_card_server("steps", context, data = reactive(context$query("funnel")), draw = steps_chart, describe = steps_text)
#   table_card_ui(ns("recent"), "Recent sessions"); table_card_server("recent", context, data, columns = c(...))
#
# session$sendCustomMessage("lead_to", ns("place")) scrolls to an element and moves the focus there.
#
# Numbers become text in format.R, charts get their style in charts.R. R never counts: SQL does.

# How often a page looks whether there is new data, or the database is back, in milliseconds.
POLL_MILLISECONDS <- 3000

# view: what to open (view.R). choices: list(category, brand), NULL where they are not known. events: events_of_last_hour().
page_ui <- function(pages, settings, view, choices, events) {
  title <- describe_filters(filters_of_view(view, today_in(settings$time_zone)))
  panels <- lapply(pages, function(page) {
    params <- if (page$id == view$page) view$params else lapply(page$params, `[[`, 1)
    bslib::nav_panel(page$title, value = page$id, page$ui(page$id, params))
  })
  head <- shiny::tags$head(
    shiny::tags$meta(name = "clickstream-events-last-hour", content = events),
    shiny::tags$link(rel = "stylesheet", href = "style.css"),
    shiny::tags$script(src = "app.js"),
    shiny::tags$link(rel = "icon", href = "data:,") # none, and no request for one
  )
  frame <- do.call(bslib::page_navbar, c(unname(panels), list(
    id = "page", selected = view$page, title = settings$title, window_title = settings$title,
    theme = page_theme(),
    fillable = FALSE,
    header = shiny::tagList(head, shiny::useBusyIndicators(), heading_ui("heading", title)),
    sidebar = bslib::sidebar(
      filters_ui("filters", view, choices),
      title = "Filters", open = list(desktop = "open", mobile = "closed")
    )
  )))
  skip <- function(text, to) shiny::tags$a(text, class = "skip visually-hidden-focusable", href = to)
  structure(
    shiny::tagList(skip("Skip to the numbers", "#content"), skip("Skip to the filters", "#filters-period"), frame),
    lang = "en"
  )
}

# The number of events that the dashboard can see, for monitoring: role verify reads it from the page. "unknown" while the
# database does not answer. Never from the cache.
events_of_last_hour <- function(database, queries) {
  tryCatch(as.character(database$query_uncached(queries$last_hour)$events), error = function(error) "unknown")
}

page_server <- function(input, output, session, pages, settings, database, queries) {
  today <- function() today_in(settings$time_zone)
  start <- view_from_url(shiny::isolate(session$clientData$url_search), pages, today())
  tick <- ticker(function() paste(today(), database$version()))
  choices <- shiny::reactive({
    tick()
    known_choices(database, queries)
  })
  filters <- filters_server("filters", start, today = shiny::reactive({
    tick()
    today()
  }), choices)

  params <- lapply(pages, function(page) {
    values <- if (page$id == start$page) start$params else lapply(page$params, `[[`, 1)
    do.call(shiny::reactiveValues, values)
  })
  names(params) <- vapply(pages, `[[`, "", "id")

  heading_server("heading", settings, filters$values, freshness = shiny::reactive({
    tick()
    shiny::invalidateLater(60000) # the warning gives minutes
    as_result(database$query_uncached(queries$freshness, settings$time_zone))
  }))
  lapply(pages, function(page) {
    context <- page_context(page, settings, database, queries, filters, params[[page$id]], tick)
    page$server(page$id, context)
  })

  view <- shiny::reactive({
    id <- shiny::req(input$page)
    c(list(page = id), filters$view(), list(params = shiny::reactiveValuesToList(params[[id]])))
  })
  follow_url(input, view, read = function(search) view_from_url(search, pages, today()), pages, show = function(target) {
    filters$show(target)
    for (name in names(target$params)) params[[target$page]][[name]] <- target$params[[name]]
    bslib::nav_select("page", target$page)
  })
}

# The context that a page gets; described above.
page_context <- function(page, settings, database, queries, filters, params, tick) {
  force(params)
  query <- function(name, ..., previous = FALSE, is_empty = function(data) nrow(data) == 0) {
    tick()
    values <- filters$values()
    period <- if (previous) values$previous else values
    if (is.null(period)) {
      return(NULL)
    }
    stopifnot(name %in% names(queries))
    as_result(database$query(
      queries[[name]], period$from, period$to, settings$time_zone,
      values$login_state, values$category, values$brand, ...
    ), is_empty)
  }
  list(
    page = page$id, filters = filters$values, filter = filters$choose, query = query, params = params,
    settings = settings, time_zone = settings$time_zone, tick = tick
  )
}

# Keeps a page's parameters and the inputs of the same names equal. Values need no check: selects offer only allowed ones.
sync_inputs <- function(input, session, params, names) {
  lapply(names, function(name) {
    shiny::observeEvent(input[[name]], if (!identical(input[[name]], params[[name]])) params[[name]] <- input[[name]])
    shiny::observeEvent(params[[name]], {
      # Every kind of choice takes this message: selects, radio buttons, text fields.
      if (!identical(input[[name]], params[[name]])) session$sendInputMessage(name, list(value = params[[name]]))
    }, ignoreInit = TRUE)
  })
}

# A reactive that changes whenever version() does, and at every look while that fails.
ticker <- function(version) {
  shiny::reactivePoll(
    POLL_MILLISECONDS, shiny::getDefaultReactiveDomain(),
    checkFunc = function() tryCatch(version(), error = function(error) format(Sys.time(), "%s")),
    valueFunc = function() Sys.time()
  )
}
