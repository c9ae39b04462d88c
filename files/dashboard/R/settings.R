# Read config.yml; every setting must be there.
#
# path: the file.
# Returns a list: title, time_zone (IANA name), refresh_seconds, cache_seconds, stale_minutes, database (list for
# dbConnect).
read_settings <- function(path) {
  settings <- yaml::read_yaml(path)
  missing <- setdiff(c("title", "time_zone", "refresh_seconds", "cache_seconds", "stale_minutes", "database"), names(settings))
  if (length(missing) > 0) {
    stop(path, " lacks ", paste(missing, collapse = ", "), ". Fix: run the role dashboard again.")
  }
  if (!settings$time_zone %in% OlsonNames()) {
    stop(path, ": no time zone is called ", settings$time_zone, ". Fix: set platform_time_zone.")
  }
  settings
}
