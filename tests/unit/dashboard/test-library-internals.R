# What the app knows of the insides of its libraries, which an upgrade of Debian may change. A failure says what to do; the
# parts that need a browser are in tests/e2e/test_library_internals.py, and Shiny Server's restart.txt in molecule's verify.yml.

library_file <- function(package, ...) {
  paste(readLines(system.file(..., package = package), warn = FALSE), collapse = "\n")
}

test_that("plotly keeps what a chart was made of where quiet_widget() reads it", {
  todo <- paste(
    "In R/charts.R, quiet_widget(): read these parts from where plotly has them now,",
    "or return plotly::plotly_build(chart), which is slow."
  )
  chart <- plain_layout(plotly::plot_ly(x = 1, y = 2, type = "bar"), xaxis = list(type = "date"))
  expect_true(all(c("attrs", "layoutAttrs", "config", "source") %in% names(chart$x)), info = todo)
  expect_true(is.function(attr(chart$x, "TOJSON_FUNC")), info = todo)
  expect_equal(Filter(Negate(is.null), lapply(unname(chart$x$attrs), `[[`, "type")), list("bar"), info = todo)
  expect_equal(chart$x$layoutAttrs[[1]]$xaxis$type, "date", info = todo)
  expect_true(is.function(chart$preRenderHook), info = "In R/charts.R, quiet_widget(): delete the line about preRenderHook.")
  expect_setequal(names(UNUSED_PARTS), c("highlight", "base_url"))
})

test_that("a chart goes to the browser as quiet_widget() made it, without plotly's polyfill", {
  widget <- quiet_widget(plain_layout(plotly::plot_ly(x = 1, y = 2, type = "bar")))
  sent <- jsonlite::fromJSON(attr(widget$x, "TOJSON_FUNC")(widget$x), simplifyVector = FALSE)
  expect_equal(sent$data[[1]][c("x", "y")], list(x = list(1L), y = list(2L)))
  names_of <- function(chart) vapply(chart$dependencies, `[[`, "", "name")
  expect_true(
    "typedarray" %in% names_of(plotly::plot_ly()),
    info = "plotly has dropped its polyfill: delete the line about typedarray in R/charts.R, quiet_widget()."
  )
  expect_false("typedarray" %in% names_of(widget))
})

test_that("a chart that was drawn is not drawn again for the same data", {
  number <- reactiveVal(1)
  drawn <- numeric()
  draw <- function(data) {
    drawn <<- c(drawn, data$n)
    plain_layout(plotly::plot_ly(x = data$n, y = data$n, type = "bar"))
  }
  context <- list(page = "shelf", filters = reactive(list(period = "7")), params = reactiveValues(by = "views"))
  arguments <- list(
    context = context, data = reactive(as_result(data.frame(n = number()))), draw = draw, describe = function(data) "One."
  )
  testServer(chart_card_server, args = arguments, {
    for (n in c(1, 2, 1)) {
      number(n)
      session$flushReact()
      expect_match(output$chart, sprintf('"x":[%d]', n), fixed = TRUE)
    }
  })
  todo <- "In R/card.R, shiny::bindCache() does not cache what htmlwidgets::shinyRenderWidget() gives: see their NEWS."
  expect_equal(drawn, c(1, 2), info = todo)
})

test_that("a chart's place does not report its theme", {
  expect_no_match(
    as.character(chart_card_ui("chart", "Chart")), "shiny-report-theme",
    info = "In R/card.R, plotlyOutput() takes reportTheme no more: see htmlwidgets::shinyWidgetOutput()."
  )
  expect_match(
    as.character(plotly::plotlyOutput("chart")), "shiny-report-theme",
    info = "Delete reportTheme = FALSE in R/card.R: it is the default."
  )
})

test_that("a prepared page is what the frame would have rendered", {
  settings <- list(title = "Shop", time_zone = "UTC")
  view <- view_from_url("", all_pages(), as.Date("2026-03-07"))
  rendered <- function(pages) {
    htmltools::renderTags(page_ui(pages, settings, view, list(category = "laptop", brand = "HP"), "0"))
  }
  plain <- function(html) gsub("[0-9]{4,}", "n", gsub("\\s*([<>])\\s*", "\\1", html)) # without random ids and indentation
  prepared <- rendered(prepared_pages(all_pages()))
  made <- rendered(all_pages())
  todo <- "In R/prepared_pages.R: a page's HTML depends on more than the theme. Give it that, or use all_pages() in app.R."
  expect_equal(plain(prepared$html), plain(made$html), info = todo)
  named <- function(tags) sort(vapply(tags$dependencies, function(one) paste(one$name, one$version), ""))
  expect_equal(named(prepared), named(made), info = todo)
})

test_that("bslib can be told to look for no _brand.yml", {
  expect_true("brand" %in% names(formals(bslib::bs_theme)), info = "Delete brand = FALSE in R/prepared_pages.R.")
})

test_that("Shiny's styles have the rule that www/app.js rewrites", {
  expect_match(
    library_file("shiny", "www/shared/shiny_scss/shiny.bootstrap5.scss"), ":has(> *)",
    fixed = TRUE,
    info = "Shiny asks :has(> *) no more: delete the loop over document.styleSheets in www/app.js."
  )
})

test_that("Shiny's busy indicators have the names that www/style.css uses", {
  styles <- library_file("shiny", "www/shared/busy-indicators/busy-indicators.css")
  names <- c("--shiny-spinner-url", "--_shiny-fade-opacity", "[data-shiny-busy-spinners]", ".recalculating", ".shiny-busy")
  for (name in names) {
    todo <- paste("Rename", name, "in www/style.css to what busy-indicators.css has now.")
    expect_match(styles, name, fixed = TRUE, info = todo)
  }
})

test_that("bslib's sidebar has the classes that www/style.css uses", {
  styles <- library_file("bslib", "components/dist/components.css")
  for (name in c(".sidebar-collapsed", ".collapse-toggle")) {
    todo <- paste("Rename", name, "in www/style.css: a phone's filters are behind this button.")
    expect_match(styles, name, fixed = TRUE, info = todo)
  }
})

test_that("plotly.js has what www/app.js uses to draw a chart in its place's size", {
  script <- library_file("plotly", "htmlwidgets/lib/plotlyjs/plotly-latest.min.js")
  todo <- "In www/app.js, read the size that a chart was drawn in from elsewhere."
  expect_match(script, "_fullLayout", fixed = TRUE, info = todo)
})
