# The dashboard. Shiny loads every file in R/ first; queries/ holds all of its SQL, config.yml what Ansible
# knows (database, time zone).
options(sass.cache = file.path(tempdir(), "sass")) # the app's own directory is read-only

settings <- read_settings("config.yml")
database <- new_database(settings$database)
queries <- read_queries("queries")

shiny::onStop(database$disconnect)

shiny::shinyApp(
  ui = function(request) page_ui(settings, events_of_last_hour(database, queries)),
  server = function(input, output, session) page_server(settings, database, queries)
)
