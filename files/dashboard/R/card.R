# Charts and tables in a card: heading, short help, CSV of exactly what is shown, full screen. An answer that is empty or
# an error shows its message in their place, in the same height.

card_frame <- function(ns, title, help, ..., class = NULL) {
  bslib::card(
    full_screen = TRUE, class = class,
    bslib::card_header(class = "card-head", shiny::h2(title, class = "h6 mb-0"), csv_link(ns("csv"), title)),
    if (!is.null(help)) shiny::p(help, class = "help"),
    ...
  )
}

# ---- Charts

chart_card_ui <- function(id, title, help = NULL, height = "320px", class = NULL) {
  ns <- shiny::NS(id)
  card_frame(
    ns, title, help,
    class = class,
    shiny::div(
      class = "chart html-fill-item html-fill-container", role = "img", `aria-labelledby` = ns("alternative"),
      plotly::plotlyOutput(ns("chart"), height = height)
    ),
    shiny::div(class = "visually-hidden", shiny::textOutput(ns("alternative")))
  )
}

# data: reactive that gives an answer. draw, describe: functions of its data that give a plotly chart and, in words, its
# main numbers (for who cannot see it). Both may read reactives.
# csv: reactive that gives the answer to download, where that is not data. empty: what to say when there is nothing.
chart_card_server <- function(id, context, data, draw, describe, csv = data, empty = "No events in this period.") {
  shiny::moduleServer(id, function(input, output, session) {
    output$chart <- plotly::renderPlotly(draw(answered(data(), empty)))
    output$alternative <- shiny::renderText(describe(answered(data(), empty)))
    output$csv <- csv_handler(context, id, csv)
  })
}

# ---- Tables

table_card_ui <- function(id, title, help = NULL, height = "auto", class = NULL) {
  ns <- shiny::NS(id)
  card_frame(ns, title, help, class = class, DT::dataTableOutput(ns("table"), height = height, fill = FALSE))
}

# data: reactive that gives an answer. columns: c(heading = "column") of what to show, in order. texts: list of functions
# by column that make text of values (count_text, rate_text); sorting stays by the values.
# Returns a reactive: the row that was chosen (a data frame of one row), or NULL.
table_card_server <- function(id, context, data, columns, texts = list(), search = FALSE, page_length = 10,
                              select = FALSE, order = list(), csv = data, empty = "No events in this period.") {
  shiny::moduleServer(id, function(input, output, session) {
    output$table <- DT::renderDataTable(server = TRUE, {
      shown <- answered(data(), empty)
      plain_table(shown, columns, texts, search, page_length, select, order)
    })
    output$csv <- csv_handler(context, id, csv)
    shiny::reactive({
      result <- data()
      row <- input$table_rows_selected
      if (length(row) == 1 && result$state == "ok" && row <= nrow(result$data)) result$data[row, , drop = FALSE]
    })
  })
}

# A table with server-side search and paging. Where a text stands for a value, the value is in a hidden column beside it,
# and sorting goes by that.
plain_table <- function(data, columns, texts, search, page_length, select, order = list()) {
  shown <- data[unname(columns)]
  hidden <- data[names(texts)]
  for (name in names(texts)) shown[[name]] <- texts[[name]](shown[[name]])
  names(hidden) <- paste0("value of ", names(hidden))
  definitions <- lapply(seq_along(texts), function(n) {
    list(targets = match(names(texts)[n], columns) - 1, orderData = length(columns) + n - 1)
  })
  right <- which(vapply(data[unname(columns)], is.numeric, NA)) - 1
  DT::datatable(
    cbind(shown, hidden),
    rownames = FALSE, colnames = c(names(columns), names(hidden)), style = "bootstrap5", class = "table table-sm",
    selection = if (select) "single" else "none", escape = TRUE,
    options = list(
      dom = if (search) "ftip" else "tip", pageLength = page_length, scrollX = TRUE, autoWidth = FALSE, order = order,
      language = list(search = "Search:", emptyTable = "Nothing to show."),
      columnDefs = c(definitions, list(
        list(targets = length(columns) + seq_along(texts) - 1, visible = FALSE, searchable = FALSE),
        list(targets = right, className = "dt-right")
      ))
    )
  )
}
