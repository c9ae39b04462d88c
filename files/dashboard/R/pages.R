# The pages, in the order of the navigation. How to add one: page.R.
all_pages <- function() {
  names <- c("overview", "funnel", "products", "sessions", "quality")
  functions <- Filter(is.function, lapply(paste0(names, "_page"), get0, envir = environment(all_pages)))
  lapply(functions, function(page) page())
}

# The page of an id, else the first.
page_called <- function(pages, id) {
  found <- Filter(function(page) identical(page$id, id), pages)
  if (length(found) > 0) found[[1]] else pages[[1]]
}
