# Read the .sql files of a directory.
#
# Returns a named list of strings: queries/kpis.sql becomes kpis.
read_queries <- function(directory) {
  files <- list.files(directory, pattern = "[.]sql$", full.names = TRUE)
  texts <- lapply(files, function(file) paste(readLines(file, encoding = "UTF-8"), collapse = "\n"))
  stats::setNames(texts, tools::file_path_sans_ext(basename(files)))
}
