# One session, event by event.
session_timeline_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::div(
    id = ns("place"), tabindex = "-1",
    table_card_ui(
      ns("events"), "One session, event by event",
      "What happened, when (in local time, and how long after the session began), and on which page."
    )
  )
}

session_timeline_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    events <- shiny::reactive({
      key <- session_key(context$own$session)
      if (is.null(key)) {
        none <- data.frame(at = character(), seconds = numeric(), event_name = character(), page_url = character())
        return(list(state = "empty", data = none, message = NULL))
      }
      context$about("session_timeline", key[1], key[2])
    })
    table_card_server(
      "events", context, shiny::reactive(with_product_text(events())),
      columns = c(
        "Time" = "at", "After" = "seconds", "Event" = "event_name", "Page" = "page_url", "Product" = "product",
        "Element" = "element", "Login state" = "login_state"
      ),
      texts = list(at = clock_text, seconds = duration_text, page_url = page_text, login_state = said_state_text),
      page_length = 25, empty = "Choose a session in the table above. If one is chosen, its events are gone."
    )
  })
}

# c(visitor, started_at) of a session's text, or NULL: a link may be old or cut off.
session_key <- function(text) {
  if (!grepl("^-?[0-9]{1,18}[0-9]?@[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}[.][0-9]{6}Z$", text)) {
    return(NULL)
  }
  strsplit(text, "@", fixed = TRUE)[[1]]
}

# The time of day of a local time.
clock_text <- function(text) {
  substr(text, 12, 19)
}

# Of an event that carries none it is missing.
said_state_text <- function(state) {
  login_state_text(ifelse(is.na(state), "", state))
}

# A product by name, else by id.
with_product_text <- function(answer) {
  if (answer$state == "ok") {
    answer$data$product <- ifelse(is.na(answer$data$product_name), answer$data$product_id, answer$data$product_name)
  }
  answer
}
