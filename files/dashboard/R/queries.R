# Reads the .sql files of a directory: queries/totals.sql becomes `totals` in a named list of strings. Before each query
# that reads the relation `filters` stands queries/shared/filters.sql, which makes it of the parameters $1 to $6.
read_queries <- function(directory) {
  read <- function(file) paste(readLines(file, encoding = "UTF-8"), collapse = "\n")
  filters <- read(file.path(directory, "shared", "filters.sql"))
  files <- list.files(directory, pattern = "[.]sql$", full.names = TRUE)
  texts <- lapply(files, function(file) with_filters(read(file), filters))
  stats::setNames(texts, tools::file_path_sans_ext(basename(files)))
}

# A query with `filters` as the first of its common table expressions, if it reads that.
with_filters <- function(sql, filters) {
  if (!grepl("\\b(FROM|JOIN) filters\\b", sql)) {
    return(sql)
  }
  expression <- paste0("WITH filters AS NOT MATERIALIZED (\n", filters, "\n)")
  if (grepl("(?m)^WITH ", sql, perl = TRUE)) {
    sub("(?m)^WITH ", paste0(expression, ", "), sql, perl = TRUE)
  } else {
    sub("(?m)^(?=SELECT)", paste0(expression, "\n"), sql, perl = TRUE)
  }
}
