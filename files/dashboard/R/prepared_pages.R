# Writes the pages' HTML once for all visitors: making it takes a third of a second, which the one R process has for
# nobody else then. A page that a URL wants with other parameters of its own than the defaults is made for it.
prepared_pages <- function(pages) {
  before <- bslib::bs_global_set(page_theme()) # what the tags ask for depends on it
  on.exit(bslib::bs_global_set(before))
  lapply(pages, function(page) {
    make <- page$ui
    defaults <- lapply(page$own, `[[`, 1)
    written <- htmltools::renderTags(make(page$id, defaults))
    prepared <- htmltools::attachDependencies(htmltools::HTML(written$html), written$dependencies)
    page$ui <- function(id, own) if (identical(own, defaults)) prepared else make(id, own)
    page
  })
}

# brand: nobody looks for a file of that name above the app, which takes 50 ms each time.
page_theme <- function() bslib::bs_theme(version = 5, preset = "bootstrap", brand = FALSE)
