# Products, categories and brands: what is looked at, put into the cart and bought.
products_page <- function() {
  list(
    id = "products", title = "Products", ui = products_ui, server = products_server,
    params = list(level = unname(PRODUCT_LEVELS), by = unname(PRODUCT_MEASURES), product = "")
  )
}

PRODUCT_LEVELS <- c("Products" = "product", "Categories" = "category", "Brands" = "brand")
PRODUCT_MEASURES <- c(
  "Views" = "views", "Carts" = "carts", "Purchases" = "purchases", "Revenue" = "revenue",
  "View-to-cart rate" = "view_to_cart", "Cart-to-buy rate" = "cart_to_buy"
)

products_ui <- function(id, params) {
  ns <- shiny::NS(id)
  select <- function(name, label, choices) {
    shiny::selectInput(ns(name), label, choices, selected = params[[name]], selectize = FALSE)
  }
  shiny::tagList(
    shiny::div(class = "controls", select("level", "Show", PRODUCT_LEVELS), select("by", "Ranked by", PRODUCT_MEASURES)),
    bslib::layout_columns(
      col_widths = bslib::breakpoints(xs = 12, lg = c(6, 6)),
      chart_card_ui(ns("top"), "Top 15", shiny::textOutput(ns("top_help"), inline = TRUE), height = "420px"),
      chart_card_ui(
        ns("discount"), "Discount and view-to-cart rate",
        paste(
          "One point per product with at least", LEAST_VIEWS, "views, the bigger the more; the 500 most viewed.",
          "Without a discount: 0 %. Prices are the newest known."
        ),
        height = "420px"
      )
    ),
    table_card_ui(
      ns("table"), "The 1,000 most viewed",
      paste(
        "Views and carts: events of the period. Purchases: the product that a completed checkout names, else what was in",
        "the cart. Revenue: price after discount by quantity, of orders in the shop's currency. View to cart: carts by",
        "views; cart to buy: purchases by carts. Choose a product to see its days, a category or brand to see the page",
        "about it."
      )
    ),
    product_trend_ui(ns("trend"))
  )
}

products_server <- function(id, context) {
  shiny::moduleServer(id, function(input, output, session) {
    sync_inputs(input, session, context$params, c("level", "by"))
    level <- shiny::reactive(context$params$level)
    by <- shiny::reactive(context$params$by)

    compared <- shiny::reactive(with_unknown_named(with_previous_rows(
      context$query("products", level()), context$query("products", level(), previous = TRUE),
      "key", c("views", "carts", "purchases", "revenue"), c("view_to_cart", "cart_to_buy")
    )))
    products <- shiny::reactive(context$query("products", "product"))

    top <- shiny::reactive(top_products(compared(), by()))
    output$top_help <- shiny::renderText(top_help(level(), by()))
    chart_card_server(
      "top", context, top,
      draw = function(data) top_products_chart(data, by()),
      describe = function(data) top_products_text(data, by()),
      empty = "Nothing to rank in this period."
    )
    chart_card_server(
      "discount", context, shiny::reactive(discounts(products())),
      draw = discount_chart, describe = discount_text,
      empty = paste("No product has", LEAST_VIEWS, "views in this period.")
    )

    chosen <- table_card_server(
      "table", context, compared,
      columns = shiny::reactive({
        data <- compared()$data
        product_columns(level(), "previous_views" %in% names(data), currency_of(data))
      }),
      texts = product_texts,
      search = TRUE, choose = "key", empty = "Nothing was looked at in this period."
    )
    shiny::observeEvent(chosen(), {
      if (level() == "product") {
        context$params$product <- chosen()
        session$sendCustomMessage("lead_to", session$ns("trend-place"))
      } else {
        context$filter(level(), chosen())
      }
    })
    product_trend_server("trend", context, products)
  })
}

# Gives a name to the category or brand of products whose events carry none.
with_unknown_named <- function(result) {
  if (!is.null(result$data)) result$data$name[result$data$name == ""] <- "Not said"
  result
}

product_columns <- function(level, compared, currency) {
  money <- function(title) paste0(title, " (", currency, ")")
  c(
    stats::setNames("name", c(product = "Product", category = "Category", brand = "Brand")[[level]]),
    if (level == "product") c("Category" = "category", "Brand" = "brand") else c("Products" = "products"),
    stats::setNames("revenue", money("Revenue")),
    "Views" = "views", if (compared) c("Views before" = "previous_views"), "Carts" = "carts", "Purchases" = "purchases",
    "View to cart" = "view_to_cart", "Cart to buy" = "cart_to_buy",
    stats::setNames(c("price", "discount_price"), money(c("Price", "Discount price"))), "Discount" = "discount"
  )
}

product_texts <- function(data) {
  money <- function(amount) amount_text(amount, currency_of(data))
  list(
    views = count_text, carts = count_text, purchases = count_text, products = count_text, previous_views = count_text,
    revenue = money, view_to_cart = rate_text, cart_to_buy = rate_text,
    price = money, discount_price = money, discount = rate_text
  )
}
