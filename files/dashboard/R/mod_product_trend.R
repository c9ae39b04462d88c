# Views, carts and purchases of one product by day.
product_trend_ui <- function(id) {
  ns <- shiny::NS(id)
  shiny::div(
    id = ns("place"), tabindex = "-1",
    chart_card_ui(
      ns("days"), shiny::textOutput(ns("title"), inline = TRUE),
      "Views and carts by day, and purchases of what was in the cart. Of the filters only period and login state count."
    )
  )
}

# products: reactive that gives a result with key and name.
product_trend_server <- function(id, context, products) {
  shiny::moduleServer(id, function(input, output, session) {
    product <- shiny::reactive(context$params$product)
    output$title <- shiny::renderText(trend_title(product(), products()))
    days <- shiny::reactive({
      if (product() == "") {
        none <- data.frame(bucket = character(), views = numeric(), carts = numeric(), purchases = numeric())
        return(list(state = "empty", data = none, message = NULL))
      }
      context$query("product_trend", product(), is_empty = function(data) sum(data$views, data$carts, data$purchases) == 0)
    })
    chart_card_server(
      "days", context, days,
      draw = product_trend_chart, describe = product_trend_text,
      empty = "Choose a product in the table above. If one is chosen, nothing happened to it in this period."
    )
  })
}

trend_title <- function(product, products) {
  if (product == "") {
    return("One product")
  }
  found <- if (!is.null(products$data)) products$data$name[products$data$key == product]
  if (length(found) == 1) found else product
}
