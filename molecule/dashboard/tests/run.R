arguments <- commandArgs(trailingOnly = FALSE)
here <- dirname(sub("^--file=", "", grep("^--file=", arguments, value = TRUE)))
testthat::test_dir(here, reporter = "summary", stop_on_failure = TRUE)
