# How complete and how recent the data is: loads, lag, duplicates, rejected events, runs of the ETL.
quality_page <- function() {
  list(id = "quality", title = "Data quality", ui = quality_ui, server = quality_server, params = list())
}

quality_ui <- function(id, params) {
  ns <- shiny::NS(id)
  two <- function(...) bslib::layout_columns(col_widths = bslib::breakpoints(xs = 12, lg = c(6, 6)), ...)
  shiny::tagList(
    shiny::p("Of the filters only the period counts here.", class = "help"),
    two(
      chart_card_ui(
        ns("loads"), "Events in the warehouse", "By the day on which they happened. Bots are on no other page."
      ),
      chart_card_ui(
        ns("lag"), "From event to warehouse",
        "Events of the period, bots too, by how long they took until they were loaded."
      )
    ),
    two(
      chart_card_ui(
        ns("runs"), "Duplicates and rejected events",
        paste(
          "By the day on which the run of the ETL began. A duplicate is a copy of an event that is there already: it",
          "is counted once. The CSV has the loaded ones and the number of runs too."
        )
      ),
      table_card_ui(
        ns("rejected"), "Rejected by reason",
        "Events that could not become rows in this period. They are kept in rejected_events and can be replayed."
      )
    ),
    two(
      chart_card_ui(
        ns("refused"), "Refused by the collector",
        paste(
          "Events that it did not take, by the day on which a run of the ETL heard of them. Kept: those under rejected/ in",
          "the raw bucket. Not kept: what is beyond the share of a request or of a day. At least so many: the collector's",
          "log has all."
        )
      ),
      table_card_ui(
        ns("findings"), "What looks wrong in the data",
        paste(
          "Orders of this period in another currency than the shop's are orders and units on the pages, but no revenue. A",
          "discount above 95 % may be a percentage that was sent as a price; an unverified event is one that anybody can",
          "send. Products are those of all time."
        )
      )
    ),
    table_card_ui(
      ns("folded"), "Counted as (other)",
      paste(
        "Events received in this period that name something new beyond the day's limit of new names: it counts as",
        "(other) on all pages. The rows keep what was sent. A sender is a browser, as the events say."
      )
    ),
    table_card_ui(
      ns("etl_runs"), "Last 20 runs of the ETL", "Whatever the period. A run that stays running was killed."
    ),
    quality_waiting_ui(ns("waiting"))
  )
}

quality_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    loads <- c("People" = "events", "Bots" = "bots")
    chart_card_server(
      "loads", context,
      shiny::reactive(context$query("loads_by_day", is_empty = function(data) sum(data$events, data$bots) == 0)),
      draw = function(data) stacked_chart(data, loads, "day"),
      describe = function(data) stacked_text(data, loads, "day")
    )
    chart_card_server(
      "lag", context, shiny::reactive(with_all_events(context$query("load_lag"))),
      draw = function(data) classes_chart(data, data$label, "all"),
      describe = function(data) classes_text(data$label, data$all, "events")
    )
    runs <- c("Duplicates" = "duplicates", "Rejected" = "rejected")
    chart_card_server(
      "runs", context, shiny::reactive(context$query("runs_by_day", is_empty = function(data) sum(data$runs) == 0)),
      draw = function(data) stacked_chart(data, runs, "day"),
      describe = function(data) stacked_text(data, runs, "day"),
      empty = "No run of the ETL began in this period."
    )
    table_card_server(
      "rejected", context, shiny::reactive(context$query("rejected_by_reason")),
      columns = c("Code" = "code", "Events" = "events", "Newest reason" = "reason", "Last" = "last_rejected"),
      texts = list(events = count_text, last_rejected = moment_text),
      empty = "No event was rejected in this period."
    )
    refused <- c("Kept" = "refused_kept", "Not kept" = "refused_not_kept")
    chart_card_server(
      "refused", context,
      shiny::reactive(context$query("runs_by_day", is_empty = function(data) {
        sum(data$refused_kept, data$refused_not_kept) == 0
      })),
      draw = function(data) stacked_chart(data, refused, "day"),
      describe = function(data) stacked_text(data, refused, "day"),
      empty = "No run of the ETL of this period heard of refused events."
    )
    table_card_server(
      "findings", context, shiny::reactive(context$query("data_findings")),
      columns = c("What" = "label", "Found" = "found", "Example" = "example"),
      texts = list(found = count_text),
      empty = "Nothing that this page looks for was found."
    )
    table_card_server(
      "folded", context, shiny::reactive(context$query("folded_labels")),
      columns = c("What" = "label", "Events" = "events", "Senders" = "senders"),
      texts = list(events = count_text, senders = count_text),
      empty = "No day of this period met its limit of new names."
    )
    table_card_server(
      "etl_runs", context, shiny::reactive(context$query("etl_runs")),
      columns = c(
        "Began" = "started", "Took" = "seconds", "Status" = "status", "Loaded" = "loaded", "Duplicates" = "duplicates",
        "Rejected" = "rejected", "Objects read" = "objects_read", "Failed" = "objects_failed", "Left" = "objects_left"
      ),
      texts = list(
        started = moment_text, seconds = duration_text,
        loaded = count_text, duplicates = count_text, rejected = count_text,
        objects_read = count_text, objects_failed = count_text, objects_left = count_text
      ),
      empty = "The ETL has not run yet."
    )
    quality_waiting_server("waiting", context)
  })
}

# Adds the sum of people's and bots' events; without any event the result is empty.
with_all_events <- function(result) {
  if (result$state != "error") {
    result$data$all <- result$data$events + result$data$bots
    result$state <- if (sum(result$data$all) == 0) "empty" else "ok"
  }
  result
}
