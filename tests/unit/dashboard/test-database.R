library(DBI)

# DBI's generics need a class; this one gives what its environment holds.
methods::setClass("FakeConnection", contains = "DBIConnection", slots = c(behaviour = "environment"))
methods::setMethod("dbGetQuery", c("FakeConnection", "character"), function(conn, statement, ...) {
  conn@behaviour$query(statement)
})
methods::setMethod("dbDisconnect", "FakeConnection", function(conn, ...) TRUE)

# A server that counts connections; query says what a statement gives.
fake_server <- function(query) {
  server <- new.env()
  server$connections <- 0
  server$up <- TRUE
  server$query <- query
  server$connect <- function(parameters) {
    if (!server$up) stop("could not connect")
    server$connections <- server$connections + 1
    methods::new("FakeConnection", behaviour = server)
  }
  server
}

test_that("one connection serves many queries", {
  server <- fake_server(function(sql) data.frame(n = 1))
  database <- new_database(list(), server$connect)
  database$query("SELECT 1")
  database$query("SELECT 1")
  expect_equal(server$connections, 1)
  expect_true(database$healthy())
})

test_that("a lost connection is made again without anybody noticing", {
  alive <- TRUE
  server <- fake_server(function(sql) if (alive) data.frame(n = 1) else stop("server closed the connection"))
  connect <- server$connect
  database <- new_database(list(), function(parameters) {
    alive <<- TRUE
    connect(parameters)
  })
  database$query("SELECT 1")
  alive <- FALSE
  expect_equal(database$query("SELECT 1")$n, 1)
  expect_equal(server$connections, 2)
})

test_that("a stopped server is unavailable, and queries succeed again once it is back", {
  server <- fake_server(function(sql) if (server$up) data.frame(n = 1) else stop("gone"))
  database <- new_database(list(), server$connect)
  database$query("SELECT 1")
  server$up <- FALSE
  expect_error(database$query("SELECT 1"), "could not connect", class = "database_unavailable")
  expect_false(database$healthy())
  server$up <- TRUE
  expect_equal(database$query("SELECT 1")$n, 1)
  expect_true(database$healthy())
})

test_that("a wrong statement says so and keeps the connection", {
  server <- fake_server(function(sql) {
    if (sql == "SELECT 1") return(data.frame(n = 1))
    warning("relation nope does not exist") # as RPostgreSQL does
    NULL
  })
  database <- new_database(list(), server$connect)
  expect_error(database$query("SELECT * FROM nope"), "nope does not exist", class = "query_failed")
  expect_equal(server$connections, 1)
})
