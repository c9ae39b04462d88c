# The period's numbers, each with how it changed and how it went.

# column: of totals.sql and totals_over_time.sql. text: how it is written. rate: whether it changes by points.
OVERVIEW_NUMBERS <- list(
  list(column = "visitors", title = "Visitors", text = "count_text", rate = FALSE,
       help = "Different visitors whose session began in the period."),
  list(column = "sessions", title = "Sessions", text = "count_text", rate = FALSE,
       help = "Visits that began in the period; 30 quiet minutes end one."),
  list(column = "page_views", title = "Page views", text = "count_text", rate = FALSE,
       help = "With a category or brand, those of its sessions. Bots are left out everywhere."),
  list(column = "mean_seconds", title = "Session length", text = "duration_text", rate = FALSE,
       help = "From the first to the last event of a session, on average."),
  list(column = "conversion_rate", title = "Conversion rate", text = "rate_text", rate = TRUE,
       help = "Sessions with a completed checkout, of all sessions."),
  list(column = "cart_rate", title = "Add-to-cart rate", text = "rate_text", rate = TRUE,
       help = "Sessions with something put into the cart, of all sessions."),
  list(column = "bounce_rate", title = "Bounce rate", text = "rate_text", rate = TRUE,
       help = "Sessions with one page view at most, of all sessions.")
)

numbers_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::tags$section(
    class = "numbers-section", `aria-labelledby` = ns("title"),
    shiny::div(
      class = "numbers-head",
      shiny::h2("Numbers of the period", id = ns("title"), class = "h6 mb-0"),
      csv_link(ns("csv"), "Numbers of the period"),
      csv_link(ns("csv_over_time"), "Numbers over time", "CSV over time"),
      shiny::span(class = "numbers-error", shiny::textOutput(ns("problem"), inline = TRUE))
    ),
    # Empty boxes until the numbers are there.
    shiny::uiOutput(ns("boxes"), container = function(...) {
      shiny::div(..., shiny::div(class = "numbers", lapply(OVERVIEW_NUMBERS, number_box, ns)))
    })
  )
}

numbers_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    unit <- shiny::reactive(bucket_of(context$filters()))
    now <- shiny::reactive(context$about("totals"))
    before <- shiny::reactive(context$about("totals", previous = TRUE))
    over_time <- shiny::reactive(context$about("totals_over_time", unit()))

    output$problem <- shiny::renderText({
      if (now()$state == "error") {
        now()$message
      } else if (!is.null(before()) && context$filters()$to >= today_in(context$time_zone)) {
        "Today is not over: the previous period has more hours."
      } else {
        ""
      }
    })
    # One output for all: each costs server and browser more than what is in it. Made once for all who look at the same.
    output$boxes <- shiny::bindCache(
      shiny::renderUI(shiny::div(class = "numbers", lapply(OVERVIEW_NUMBERS, function(number) {
        filled_box(number, session$ns, now()$data, before(), over_time()$data, unit())
      }))),
      session$ns("boxes"), now(), before(), over_time(), unit(),
      cache = "app"
    )

    output$csv <- csv_handler(context, "numbers", shiny::reactive(numbers_beside(now(), before(), context$filters())))
    output$csv_over_time <- csv_handler(context, "numbers_over_time", over_time)
  })
}

number_box <- function(number, ns, value = NULL, change = NULL, line = NULL) {
  part <- function(name, content) {
    shiny::div(class = paste0("number-", name), id = ns(paste(number$column, name, sep = "_")), content)
  }
  shiny::div(class = "card number", shiny::div(
    class = "card-body",
    shiny::h3(number$title, class = "number-title"),
    part("value", value), part("change", change), part("line", line),
    shiny::p(number$help, class = "help")
  ))
}

# now, over_time: data of totals.sql and totals_over_time.sql, NULL where they could not be counted. before: the answer of
# the period before, NULL while nothing is compared.
filled_box <- function(number, ns, now, before, over_time, unit) {
  text <- match.fun(number$text)
  of <- function(data) if (is.null(data)) NA else data[[number$column]]
  values <- of(over_time)
  number_box(
    number, ns,
    value = text(of(now)),
    change = if (!is.null(before)) {
      change_ui(change_of(of(now), of(before$data), number$rate), text(of(before$data)))
    },
    line = sparkline(values, sparkline_text(number$title, over_time$bucket, values, unit, text))
  )
}

# Both periods' numbers as rows, for the download.
numbers_beside <- function(now, before, filters) {
  row <- function(answer, period) cbind(first_day = format(period$from), last_day = format(period$to), answer$data)
  if (now$state == "error" || is.null(before)) {
    now$data <- if (!is.null(now$data)) row(now, filters)
    return(now)
  }
  if (before$state == "error") {
    return(before)
  }
  list(state = "ok", data = rbind(row(now, filters), row(before, filters$previous)), message = NULL)
}

# change: of change_of(). The arrow says the same as the word that is read aloud.
change_ui <- function(change, before) {
  shiny::tagList(
    shiny::span(change$arrow, `aria-hidden` = "true"),
    shiny::span(change$word, class = "visually-hidden"),
    shiny::span(change$text),
    shiny::div(paste("from", before), class = "number-before")
  )
}

# A line without axes. values: numbers, NA where there is none. label: what it shows, in words.
sparkline <- function(values, label) {
  shiny::tags$svg(
    class = "sparkline", viewBox = "0 0 100 24", preserveAspectRatio = "none", role = "img", `aria-label` = label,
    shiny::tags$path(
      d = sparkline_path(values), fill = "none", stroke = CHART_COLOURS$first, `stroke-width` = "2",
      `stroke-linecap` = "round", `stroke-linejoin` = "round", `vector-effect` = "non-scaling-stroke"
    )
  )
}

# Points in a field of 100 by 24, from zero up; a gap where there is no value, a dot for one that stands alone.
sparkline_path <- function(values) {
  known <- !is.na(values)
  if (!any(known)) {
    return("")
  }
  x <- if (length(values) == 1) 50 else 2 + 96 * (seq_along(values) - 1) / (length(values) - 1)
  y <- 22 - 20 * values / max(values[known], 1e-9)
  begins <- known & !c(FALSE, known[-length(known)])
  alone <- begins & !c(known[-1], FALSE)
  points <- sprintf("%s%.1f %.1f%s", ifelse(begins, "M", "L"), x, y, ifelse(alone, "h0", ""))
  paste(points[known], collapse = "")
}

sparkline_text <- function(title, buckets, values, unit, text) {
  known <- which(!is.na(values))
  if (length(known) == 0) {
    return(paste0(title, " by ", unit, ": nothing in this period."))
  }
  lowest <- known[which.min(values[known])]
  highest <- known[which.max(values[known])]
  short <- function(bucket) if (unit == "day") substr(bucket, 1, 10) else bucket
  paste0(
    title, " by ", unit, ": lowest ", text(values[lowest]), " (", short(buckets[lowest]), "), highest ",
    text(values[highest]), " (", short(buckets[highest]), "), last ", text(values[utils::tail(known, 1)]), "."
  )
}
