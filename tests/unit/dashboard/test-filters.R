today <- as.Date("2026-03-07")
start <- view_from_url("?period=30&category=laptop", list(list(id = "overview", params = list())), today)
offered <- list(category = c("laptop", "monitor"), brand = "Dell")

# The filters with inputs set; code may use values() and view().
with_inputs <- function(inputs, code, choices = reactive(offered), today = reactive(as.Date("2026-03-07"))) {
  code <- substitute(code)
  testServer(filters_server, args = list(start = start, today = today, choices = choices), {
    defaults <- list(period = "30", compare = FALSE, login_state = "", category = "", brand = "", from = NULL, to = NULL)
    do.call(session$setInputs, utils::modifyList(defaults, inputs))
    eval(code, list(values = session$getReturned()$values, view = session$getReturned()$view))
  })
}

test_that("the inputs decide the filters that pages get", {
  with_inputs(list(period = "7", login_state = "guest", category = "laptop", compare = TRUE), {
    expect_equal(values()$from, as.Date("2026-03-01"))
    expect_equal(values()$to, as.Date("2026-03-07"))
    expect_equal(values()$previous, list(from = as.Date("2026-02-22"), to = as.Date("2026-02-28")))
    expect_equal(values()[c("login_state", "category", "brand")], list(login_state = "guest", category = "laptop", brand = ""))
  })
})

test_that("without a comparison there is no period before", {
  with_inputs(list(), expect_null(values()$previous))
})

test_that("a category that is not there is none, and nothing else changes", {
  with_inputs(list(category = "gone", brand = "Dell"), {
    expect_equal(values()$category, "")
    expect_equal(values()$brand, "Dell")
    expect_equal(view()$category, "")
  })
})

test_that("while the database does not answer, what the URL says stands", {
  with_inputs(list(category = "laptop"), choices = reactive(NULL), expect_equal(values()$category, "laptop"))
})

test_that("a login state that nobody offers is none", {
  with_inputs(list(login_state = "root"), expect_equal(values()$login_state, ""))
})

test_that("a custom period waits for two days that can be looked at", {
  with_inputs(list(period = "custom", from = "2026-02-01", to = "2026-01-01"), {
    expect_equal(c(values()$from, values()$to), as.Date(c("2026-01-01", "2026-02-01")))
    expect_equal(view()$from, as.Date("2026-01-01"))
  })
  with_inputs(list(period = "custom", from = "0202-01-01", to = "2026-01-01"), {
    expect_error(values(), class = "shiny.silent.error")
  })
})
