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
      key <- session_key(context$params$session)
      if (is.null(key)) {
        none <- data.frame(at = character(), seconds = numeric(), event_name = character(), page_url = character())
        return(list(state = "empty", data = none, message = NULL))
      }
      context$query("session_timeline", key[1], key[2])
    })
    table_card_server(
      "events", context, shiny::reactive(with_product_text(events())),
      columns = c(
        "Time" = "at", "After" = "seconds", "Event" = "event_name", "Page" = "page_url", "Product" = "product",
        "Element" = "element", "Login state" = "login_state"
      ),
      texts = list(at = clock_text, seconds = duration_text, page_url = page_text, login_state = event_state_text),
      page_length = 25, empty = "Choose a session in the table above. If one is chosen, its events are gone."
    )
  })
}

# c(visitor, started_at) of a session's key in the URL; NULL if it is not one: a link may be cut off.
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

# The login state of an event; one that carries none has NA.
event_state_text <- function(state) {
  login_state_text(ifelse(is.na(state), "", state))
}

# Adds the product's name, else its id.
with_product_text <- function(result) {
  if (result$state == "ok") {
    result$data$product <- ifelse(is.na(result$data$product_name), result$data$product_id, result$data$product_name)
  }
  result
}
