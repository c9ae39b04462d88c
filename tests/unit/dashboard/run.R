# Run by hand with R installed: Rscript tests/unit/dashboard/run.R; Molecule runs it on the host of scenario shiny_server.
arguments <- commandArgs(trailingOnly = FALSE)
here <- dirname(sub("^--file=", "", grep("^--file=", arguments, value = TRUE)))
testthat::test_dir(here, reporter = "summary", stop_on_failure = TRUE)
