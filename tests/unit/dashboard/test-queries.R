filters <- "-- Filters.\nSELECT $1::date AS first_day"
relation <- paste0("WITH filters AS NOT MATERIALIZED (\n", filters, "\n)")

test_that("a query that reads the filters gets them as a relation, before its own if it has some", {
  expect_equal(
    with_filters("-- Counts.\nSELECT first_day FROM filters", filters),
    paste0("-- Counts.\n", relation, "\nSELECT first_day FROM filters")
  )
  expect_equal(
    with_filters("-- Counts.\nWITH days AS (\n    SELECT 1\n)\nSELECT * FROM days CROSS JOIN filters", filters),
    paste0("-- Counts.\n", relation, ", days AS (\n    SELECT 1\n)\nSELECT * FROM days CROSS JOIN filters")
  )
})

test_that("a query that only mentions filters stays as it is", {
  sql <- "-- What the filters offer.\nSELECT category FROM products"
  expect_equal(with_filters(sql, filters), sql)
})

test_that("every file is a query, but what queries share", {
  queries <- read_queries(file.path(app, "queries"))
  expect_setequal(names(queries), sub(".sql", "", list.files(file.path(app, "queries"), "[.]sql$"), fixed = TRUE))
  expect_false("filters" %in% names(queries))
  expect_match(queries$totals, "^--.*\nWITH filters AS NOT MATERIALIZED [(]\n.*\n[)], summed AS [(]\n")
})
