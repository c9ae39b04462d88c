# The dashboard. Shiny loads every file in R/ first; queries/ holds all of its SQL, config.yml what Ansible
# knows (database, time zone). What is made here is shared by all visitors of this R process.
options(sass.cache = file.path(tempdir(), "sass")) # the app's own directory is read-only

settings <- read_settings("config.yml")
queries <- read_queries("queries")
database <- new_cached_database(
  new_database(settings$database), queries$data_version,
  refresh_seconds = settings$refresh_seconds, keep_seconds = settings$cache_seconds
)
pages <- prepared_pages(all_pages())

shiny::onStop(database$disconnect)

shiny::shinyApp(
  ui = function(request) {
    page_ui(
      pages, settings,
      view = view_from_url(request$QUERY_STRING, pages, today_in(settings$time_zone)),
      choices = known_choices(database, queries),
      events = events_of_last_hour(database, queries)
    )
  },
  server = function(input, output, session) page_server(input, output, session, pages, settings, database, queries)
)
