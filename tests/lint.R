# Rscript tests/lint.R <file>...: lintr with the rules of .lintr; and of the dashboard's functions what codetools finds (names
# that nothing defines, variables that nothing reads). Needs no package of the dashboard.
options(lintr.linter_file = normalizePath(".lintr"))
files <- commandArgs(trailingOnly = TRUE)
lints <- unlist(lapply(files, lintr::lint), recursive = FALSE)
for (lint in lints) print(lint)

# Every function and constant of the app; a constant that only a package can compute is NULL.
app <- new.env()
for (file in grep("^files/dashboard/R/", files, value = TRUE)) {
  for (assignment in as.list(base::parse(file))) { # nolint: undesirable_function_linter. To read code, not to make it.
    value <- tryCatch(eval(assignment[[3]], app), error = function(error) NULL)
    assign(as.character(assignment[[2]]), value, app)
  }
}
problems <- character()
for (name in Filter(function(name) is.function(app[[name]]), ls(app))) {
  codetools::checkUsage(app[[name]], name, report = function(text) problems <<- c(problems, text))
}
cat(problems, sep = "")
quit(status = length(lints) + length(problems) > 0)
