today <- as.Date("2026-03-07")
start <- view_of_query("?period=30&category=laptop", list(list(id = "overview", own = list())), today)
offered <- list(category = c("laptop", "monitor"), brand = "Dell")

# The filters with inputs set; code may use chosen() and view().
with_filters <- function(inputs, code, choices = reactive(offered), today = reactive(as.Date("2026-03-07"))) {
  code <- substitute(code)
  testServer(filters_server, args = list(start = start, today = today, choices = choices), {
    defaults <- list(period = "30", compare = FALSE, login_state = "", category = "", brand = "", from = NULL, to = NULL)
    do.call(session$setInputs, utils::modifyList(defaults, inputs))
    eval(code, list(chosen = session$getReturned()$chosen, view = session$getReturned()$view))
  })
}

test_that("what is chosen is what pages are about", {
  with_filters(list(period = "7", login_state = "guest", category = "laptop", compare = TRUE), {
    expect_equal(chosen()$from, as.Date("2026-03-01"))
    expect_equal(chosen()$to, as.Date("2026-03-07"))
    expect_equal(chosen()$previous, list(from = as.Date("2026-02-22"), to = as.Date("2026-02-28")))
    expect_equal(chosen()[c("login_state", "category", "brand")], list(login_state = "guest", category = "laptop", brand = ""))
  })
})

test_that("without a comparison there is no period before", {
  with_filters(list(), expect_null(chosen()$previous))
})

test_that("a category that is not there is none, and nothing else changes", {
  with_filters(list(category = "gone", brand = "Dell"), {
    expect_equal(chosen()$category, "")
    expect_equal(chosen()$brand, "Dell")
    expect_equal(view()$category, "")
  })
})

test_that("while the database does not answer, what the URL says stands", {
  with_filters(list(category = "laptop"), choices = reactive(NULL), expect_equal(chosen()$category, "laptop"))
})

test_that("a login state that nobody offers is none", {
  with_filters(list(login_state = "root"), expect_equal(chosen()$login_state, ""))
})

test_that("a custom period waits for two days that can be looked at", {
  with_filters(list(period = "custom", from = "2026-02-01", to = "2026-01-01"), {
    expect_equal(c(chosen()$from, chosen()$to), as.Date(c("2026-01-01", "2026-02-01")))
    expect_equal(view()$from, as.Date("2026-01-01"))
  })
  with_filters(list(period = "custom", from = "0202-01-01", to = "2026-01-01"), {
    expect_error(chosen(), class = "shiny.silent.error")
  })
})
