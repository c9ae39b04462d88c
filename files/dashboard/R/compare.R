# A period beside the one before it.

# Moves local times ("2026-01-01 10:00") by days: the period before is drawn over the one that is looked at.
moved_bucket <- function(bucket, days) {
  if (length(bucket) == 0) {
    return(bucket)
  }
  format(as.POSIXct(bucket, tz = "UTC", format = "%Y-%m-%d %H:%M") + 86400 * days, "%Y-%m-%d %H:%M", tz = "UTC")
}

# Buckets of both periods in one answer: previous_bucket, previous_<value> are beside the bucket that has the same place
# in its period. Of today only what has begun is there: the rest of the day before has no bucket beside it, but a row.
#
# now, before: answers with bucket and values; before may be NULL, then now is given. filters: of a context.
buckets_beside <- function(now, before, filters) {
  if (is.null(before) || now$state == "error") {
    return(now)
  }
  if (before$state == "error") {
    return(before)
  }
  days <- as.integer(filters$from - filters$previous$from)
  previous <- before$data
  values <- setdiff(names(previous), "bucket")
  names(previous) <- c("previous_bucket", paste0("previous_", values))[match(names(previous), c("bucket", values))]
  previous$bucket <- moved_bucket(previous$previous_bucket, days)
  joined <- merge(now$data, previous, by = "bucket", all = TRUE)
  list(state = both_states(now, before), data = joined[order(joined$bucket), ], message = NULL)
}

# Rows of both periods in one answer, by a column that names them; in the order of now, then what was only before.
# counts: columns that are 0 where a period has no row; rates: columns that are NA there.
rows_beside <- function(now, before, by, counts, rates = character()) {
  if (is.null(before) || now$state == "error") {
    return(now)
  }
  if (before$state == "error") {
    return(before)
  }
  values <- c(counts, rates)
  order <- union(now$data[[by]], before$data[[by]])
  previous <- before$data[c(by, values)]
  names(previous) <- c(by, paste0("previous_", values))
  only_before <- before$data[!before$data[[by]] %in% now$data[[by]], , drop = FALSE]
  for (value in counts) only_before[[value]] <- rep(0, nrow(only_before))
  for (value in rates) only_before[[value]] <- rep(NA_real_, nrow(only_before))
  joined <- merge(rbind(now$data, only_before), previous, by = by, all.x = TRUE)
  for (value in paste0("previous_", counts)) joined[[value]][is.na(joined[[value]])] <- 0
  list(state = both_states(now, before), data = joined[match(order, joined[[by]]), ], message = NULL)
}

both_states <- function(now, before) {
  if (now$state == "empty" && before$state == "empty") "empty" else "ok"
}
