# The frame around all pages: navigation, filters, heading, URL.
#
# How to add a page "funnel": in R/mod_funnel.R (and mod_funnel_*.R)
#
#   funnel_page <- function() {
#     list(id = "funnel", title = "Funnel", ui = funnel_ui, server = funnel_server,
#          own = list(by = c("session", "visitor"), step = ""))
#   }
#
# `own` are the page's own parameters in the URL besides the filters (list() for none): the first value is the default,
# several are the only ones allowed, a single one admits any text.
#
#   funnel_ui <- function(id, own)          own: list of their values, for the inputs to start with: selected = own$by.
#                                           It must depend on nothing else: prepared_pages.R writes it once for all
#   funnel_server <- function(id, context)  calls shiny::moduleServer(id, function(input, output, session) ...)
#
# and its name in R/pages.R. What a context holds:
#
#   context$filters()   the period and filters: from, to (Dates), previous (list(from, to), or NULL while nothing is
#                       compared), login_state, category, brand ("" = any), period ("7", "custom"), compare
#   context$about("funnel", ..., previous = FALSE, is_empty = ...)
#                       asks queries/funnel.sql: its $1 to $6 are bound to first day, last day, time zone, login state,
#                       category and brand, the rest after them to `...`. Gives an answer (answers.R), to be used inside
#                       a reactive: it is asked again when filters or data change. With previous = TRUE about the period
#                       before; NULL while nothing is compared. Answers are shared by all visitors (cached_database.R).
#   context$own         reactiveValues of the page's own parameters; write them and the URL follows. They also change when
#                       somebody goes back. own_inputs(input, session, context$own, "by") keeps one and its selectInput
#                       (or radioButtons) of the same name the same, both ways.
#   context$filter("category", value)  chooses a filter (login_state, category, brand), as if somebody had
#   context$page        its id;  context$settings  config.yml;  context$time_zone  its IANA name
#
# An output shows an answer by answered(), which puts a message in its place while it is empty or an error.
# Cards (card.R) do that and all else that charts and tables share (CSV, help, text alternative, full screen):
#
#   chart_card_ui(ns("steps"), "Steps", help = "Sessions that reached each step, in order.")
#   chart_card_server("steps", context, data = reactive(context$about("funnel")), draw = steps_chart, describe = steps_text)
#   table_card_ui(ns("recent"), "Recent sessions"); table_card_server("recent", context, data, columns = c(...))
#
# session$sendCustomMessage("lead_to", ns("place")) brings what a choice filled into sight and moves the keyboard there.
#
# Numbers become text in format.R, charts get their looks in charts.R. R never counts: SQL does.

# How often a page looks whether there is something new, or the database is back, in milliseconds.
POLL_MILLISECONDS <- 3000

# view: what to open (view.R); choices: list(category, brand), NULL where they are not known.
page_ui <- function(pages, settings, view, choices, events) {
  about <- describe_filters(chosen_of_view(view, today_in(settings$time_zone)))
  panels <- lapply(pages, function(page) {
    own <- if (page$id == view$page) view$own else lapply(page$own, `[[`, 1)
    bslib::nav_panel(page$title, value = page$id, page$ui(page$id, own))
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
    header = shiny::tagList(head, shiny::useBusyIndicators(), heading_ui("heading", about)),
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

# What a machine reads off the page to know that server, app and database work together; "unknown" while the
# database does not answer. Asked anew each time.
events_of_last_hour <- function(database, queries) {
  tryCatch(as.character(database$ask_anew(queries$last_hour)$events), error = function(error) "unknown")
}

page_server <- function(input, output, session, pages, settings, database, queries) {
  today <- function() today_in(settings$time_zone)
  start <- view_of_query(shiny::isolate(session$clientData$url_search), pages, today())
  tick <- ticker(function() paste(today(), database$version()))
  choices <- shiny::reactive({
    tick()
    known_choices(database, queries)
  })
  filters <- filters_server("filters", start, today = shiny::reactive({
    tick()
    today()
  }), choices)

  own <- lapply(pages, function(page) {
    values <- if (page$id == start$page) start$own else lapply(page$own, `[[`, 1)
    do.call(shiny::reactiveValues, values)
  })
  names(own) <- vapply(pages, `[[`, "", "id")

  heading_server("heading", settings, filters$chosen, state = shiny::reactive({
    tick()
    shiny::invalidateLater(60000) # it tells how many minutes ago
    answer(database$ask_anew(queries$freshness, settings$time_zone))
  }))
  lapply(pages, function(page) {
    context <- page_context(page, settings, database, queries, filters, own[[page$id]], tick)
    page$server(page$id, context)
  })

  view <- shiny::reactive({
    id <- shiny::req(input$page)
    c(list(page = id), filters$view(), list(own = shiny::reactiveValuesToList(own[[id]])))
  })
  follow_url(input, view, read = function(search) view_of_query(search, pages, today()), pages, show = function(target) {
    filters$show(target)
    for (name in names(target$own)) own[[target$page]][[name]] <- target$own[[name]]
    bslib::nav_select("page", target$page)
  })
}

# What a page is given; described above.
page_context <- function(page, settings, database, queries, filters, own, tick) {
  force(own)
  about <- function(query, ..., previous = FALSE, is_empty = function(data) nrow(data) == 0) {
    tick()
    chosen <- filters$chosen()
    period <- if (previous) chosen$previous else chosen
    if (is.null(period)) {
      return(NULL)
    }
    stopifnot(query %in% names(queries))
    answer(database$ask(
      queries[[query]], period$from, period$to, settings$time_zone,
      chosen$login_state, chosen$category, chosen$brand, ...
    ), is_empty)
  }
  list(
    page = page$id, filters = filters$chosen, filter = filters$choose, about = about, own = own,
    settings = settings, time_zone = settings$time_zone, tick = tick
  )
}

# Keeps a page's own parameters and the inputs of their names the same. What is not among a parameter's values does not
# come here: selects offer only those.
own_inputs <- function(input, session, own, names) {
  lapply(names, function(name) {
    shiny::observeEvent(input[[name]], if (!identical(input[[name]], own[[name]])) own[[name]] <- input[[name]])
    shiny::observeEvent(own[[name]], {
      # Every kind of choice takes this message: selects, radio buttons, text fields.
      if (!identical(input[[name]], own[[name]])) session$sendInputMessage(name, list(value = own[[name]]))
    }, ignoreInit = TRUE)
  })
}

# A reactive that changes with what version() gives, and all the time while that fails.
ticker <- function(version) {
  shiny::reactivePoll(
    POLL_MILLISECONDS, shiny::getDefaultReactiveDomain(),
    checkFunc = function() tryCatch(version(), error = function(error) format(Sys.time(), "%s")),
    valueFunc = function() Sys.time()
  )
}
