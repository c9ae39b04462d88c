# Charts and tables in a card: heading, short help, CSV of exactly what is shown, full screen. A result that is empty or
# an error shows its message in their place, in the same height.

# full_screen: whether a button appears that makes the card as large as the page; it would lie on a table's last page.
card_frame <- function(ns, title, help, ..., class = NULL, full_screen = TRUE) {
  bslib::card(
    full_screen = full_screen, class = class,
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
      plotly::plotlyOutput(ns("chart"), height = height, reportTheme = FALSE) # the browser would read its styles anew each time
    ),
    shiny::div(class = "visually-hidden", shiny::textOutput(ns("alternative")))
  )
}

# data: reactive that gives a result. draw, describe: functions of its data that give a plotly chart and, in words, its
# main numbers (for who cannot see it). Both may read reactives.
# csv: reactive that gives the result to download, where that is not data. empty: what to say when there is nothing.
chart_card_server <- function(id, context, data, draw, describe, csv = data, empty = "No events in this period.") {
  shiny::moduleServer(id, function(input, output, session) {
    # Making a chart and writing it down takes the one R process some 7 ms: once for all who look at the same. The filters
    # and the page's own parameters stand for all that `draw` may read beside the data.
    output$chart <- shiny::bindCache(
      htmlwidgets::shinyRenderWidget(
        quote(quiet_widget(draw(require_data(data(), empty)))), plotly::plotlyOutput,
        env = environment(), quoted = TRUE
      ),
      session$ns("chart"), data(), context$filters(), shiny::reactiveValuesToList(context$params),
      cache = "app"
    )
    output$alternative <- shiny::renderText(describe(require_data(data(), empty)))
    output$csv <- csv_handler(context, id, csv)
  })
}

# ---- Tables

table_card_ui <- function(id, title, help = NULL, height = "auto", class = NULL) {
  ns <- shiny::NS(id)
  card_frame(
    ns, title, help, DT::dataTableOutput(ns("table"), height = height, fill = FALSE),
    class = class, full_screen = FALSE
  )
}

# data: reactive that gives a result. columns: c(heading = "column") of what to show, in order, or a reactive of that.
# texts: list of functions by column that make text of values (count_text, rate_text), or a function of the data that gives
# it; sorting stays by the values.
# choose: name of the column (shown or not) whose value tells a row from the others: the first cell of each row becomes
# a button. order: as DataTables has it, list(list(0, "desc")).
# Returns a reactive: the value of `choose` in the row that was chosen last.
table_card_server <- function(id, context, data, columns, texts = list(), search = FALSE, page_length = 10,
                              choose = NULL, order = list(), csv = data, empty = "No events in this period.") {
  shiny::moduleServer(id, function(input, output, session) {
    output$table <- DT::renderDataTable(server = TRUE, {
      shown <- require_data(data(), empty)
      columns <- if (is.function(columns)) columns() else columns
      texts <- if (is.function(texts)) texts(shown) else texts
      plain_table(shown, columns, texts, search, page_length, choose, session$ns("chosen"), order)
    })
    output$csv <- csv_handler(context, id, csv)
    shiny::reactive(input$chosen)
  })
}

# A table with server-side search and paging. Where a text stands for a value, the value is in a hidden column beside it,
# and sorting goes by that.
plain_table <- function(data, columns, texts, search, page_length, choose, chosen, order) {
  shown <- data[unname(columns)]
  texts <- texts[intersect(names(texts), columns)]
  hidden <- data[c(names(texts), choose)]
  for (name in names(texts)) shown[[name]] <- texts[[name]](shown[[name]])
  column_of <- function(name) unname(match(name, columns)) - 1
  definitions <- lapply(seq_along(texts), function(n) {
    list(targets = column_of(names(texts)[n]), orderData = length(columns) + n - 1)
  })
  right <- unname(which(vapply(data[unname(columns)], is.numeric, NA))) - 1
  if (length(right) > 0) definitions <- c(definitions, list(list(targets = as.list(right), className = "dt-right")))
  if (length(hidden) > 0) {
    invisible_ones <- as.list(length(columns) + seq_along(hidden) - 1)
    definitions <- c(definitions, list(list(targets = invisible_ones, visible = FALSE, searchable = FALSE)))
  }
  if (!is.null(choose)) {
    # Done with the browser's own functions, and not as HTML: texts come from anybody.
    button <- sprintf("(cell, data, row) => clickstream.choosable(cell, row[%d], '%s')", ncol(shown) + length(texts), chosen)
    definitions <- c(definitions, list(list(targets = 0, createdCell = DT::JS(button))))
  }
  DT::datatable(
    stats::setNames(cbind(shown, hidden), make.unique(c(names(columns), paste("value of", names(hidden), recycle0 = TRUE)))),
    rownames = FALSE, style = "default", class = "table table-sm", selection = "none", escape = TRUE,
    options = list(
      dom = if (search) "ftip" else "tip", pageLength = page_length, scrollX = TRUE, autoWidth = FALSE, order = order,
      columnDefs = definitions
    )
  )
}
