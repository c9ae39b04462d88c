# The filters that every page has.
filters_ui <- function(id, view, choices) {
  ns <- shiny::NS(id)
  select <- function(name, label, choices, selected) {
    shiny::selectInput(ns(name), label, choices = choices, selected = selected, selectize = FALSE)
  }
  shiny::tagList(
    select("period", "Period", c(period_presets, "Custom" = "custom"), view$period),
    shiny::conditionalPanel(
      "input.period === 'custom'",
      day_input(ns("from"), "First day", view$from),
      day_input(ns("to"), "Last day", view$to),
      ns = ns
    ),
    shiny::checkboxInput(ns("compare"), "Compare with the previous period", view$compare),
    select("login_state", "Login state", LOGIN_STATES, view$login_state),
    select("category", "Category", with_any(choices$category, view$category), view$category),
    select("brand", "Brand", with_any(choices$brand, view$brand), view$brand)
  )
}

# The browser's own field for a date: it works with a keyboard and on a phone. www/app.js makes it a Shiny input.
day_input <- function(id, label, value) {
  shiny::div(
    class = "form-group shiny-input-container",
    shiny::tags$label(label, class = "control-label", `for` = id),
    shiny::tags$input(
      id = id, type = "date", class = "form-control day-input", min = format(FIRST_DAY), max = "2099-12-31",
      value = if (!is.null(value)) format(value)
    )
  )
}

# start: the view that the page was made with; today, choices: reactives.
# Returns list(values, view, show, choose): a reactive of what context$filters gives (page.R), a reactive of the same as
# part of a view, a function that sets all inputs to a view, and one that sets one filter.
filters_server <- function(id, start, today, choices) {
  shiny::moduleServer(id, function(input, output, session) {
    dates <- shiny::reactive(as.Date(c(input$from, input$to), format = "%Y-%m-%d"))

    # A value that is not among the choices (an old link, a product that was renamed) is ignored. While the choices are
    # not known, the URL's value stands.
    known <- function(name) {
      value <- input[[name]]
      if (is.null(value)) value <- start[[name]]
      if (is.null(choices()) || value %in% choices()[[name]]) value else ""
    }

    period <- shiny::reactive({
      shiny::req(input$period)
      shiny::req(chosen_period(input$period, dates(), today()))
    })

    # A custom period starts from the one that was shown.
    shiny::observeEvent(input$period, {
      if (input$period != "custom") {
        shown <- chosen_period(input$period, NULL, shiny::isolate(today()))
        update_day(session, "from", shown$from)
        update_day(session, "to", shown$to)
      }
    })

    # Only when they changed: updating a list closes it for somebody who has it open.
    offered <- NULL
    shiny::observeEvent(choices(), {
      if (identical(choices(), offered)) {
        return()
      }
      offered <<- choices()
      for (name in c("category", "brand")) {
        value <- shiny::isolate(known(name))
        shiny::updateSelectInput(session, name, choices = with_any(choices()[[name]], value), selected = value)
      }
    })

    view <- shiny::reactive({
      custom <- input$period == "custom"
      list(
        period = input$period, from = if (custom) period()$from, to = if (custom) period()$to,
        compare = isTRUE(input$compare), login_state = one_of(input$login_state, LOGIN_STATES, ""),
        category = known("category"), brand = known("brand")
      )
    })

    values <- shiny::reactive(filters_of_view(view(), today()))

    show <- function(view) {
      shiny::updateSelectInput(session, "period", selected = view$period)
      if (view$period == "custom") {
        update_day(session, "from", view$from)
        update_day(session, "to", view$to)
      }
      shiny::updateCheckboxInput(session, "compare", value = view$compare)
      for (name in c("login_state", "category", "brand")) {
        shiny::updateSelectInput(session, name, selected = view[[name]])
      }
    }

    choose <- function(name, value) shiny::updateSelectInput(session, name, selected = value)

    list(values = values, view = view, show = show, choose = choose)
  })
}

update_day <- function(session, id, day) {
  session$sendInputMessage(id, list(value = format(day)))
}

# The choices with "Any" on top. The selected one is among them even while the database does not answer.
with_any <- function(values, selected) {
  c("Any" = "", stats::setNames(nm = sort(union(values, setdiff(selected, "")))))
}

# Categories and brands to choose from: list(category, brand); NULL while the database does not answer.
known_choices <- function(database, queries) {
  known <- as_result(database$query(queries$filter_choices), is_empty = function(data) FALSE)
  if (known$state == "error") {
    return(NULL)
  }
  of_kind <- function(kind) as.character(known$data$value[known$data$kind == kind])
  list(category = of_kind("category"), brand = of_kind("brand"))
}
