# The pages, in the order of the navigation. How to add one: page.R.
all_pages <- function() {
  list(overview_page(), funnel_page(), products_page(), sessions_page(), quality_page())
}

# The page of an id, else the first.
page_called <- function(pages, id) {
  found <- Filter(function(page) identical(page$id, id), pages)
  if (length(found) > 0) found[[1]] else pages[[1]]
}
