# Renders the pages' HTML once for all visitors: it takes a third of a second, in which the one R process serves nobody
# else. A page whose parameters in the URL are not the defaults is rendered for that visit.
prepared_pages <- function(pages) {
  before <- bslib::bs_global_set(page_theme()) # the dependencies of the tags depend on it
  on.exit(bslib::bs_global_set(before))
  lapply(pages, function(page) {
    make <- page$ui
    defaults <- lapply(page$params, `[[`, 1)
    written <- htmltools::renderTags(make(page$id, defaults))
    prepared <- htmltools::attachDependencies(htmltools::HTML(written$html), written$dependencies)
    page$ui <- function(id, params) if (identical(params, defaults)) prepared else make(id, params)
    page
  })
}

# brand = FALSE: bslib would look for a file _brand.yml in all directories above the app, which takes 50 ms each time.
page_theme <- function() bslib::bs_theme(version = 5, preset = "bootstrap", brand = FALSE)
