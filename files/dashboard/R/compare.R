# The period and the previous one in one result, for charts and tables that compare them.

# Moves buckets ("2026-01-01 10:00", local time) by days: the previous period is drawn over the current one.
shift_bucket <- function(bucket, days) {
  if (length(bucket) == 0) {
    return(bucket)
  }
  format(as.POSIXct(bucket, tz = "UTC", format = "%Y-%m-%d %H:%M") + 86400 * days, "%Y-%m-%d %H:%M", tz = "UTC")
}

# Adds previous_bucket and previous_<value> to the bucket that has the same place in its period. Of today only what has
# begun has a bucket; the rest of the previous day still has a row.
#
# current, previous: results with bucket and values; previous may be NULL, then current is returned. filters: of a context.
with_previous_buckets <- function(current, previous, filters) {
  if (is.null(previous) || current$state == "error") {
    return(current)
  }
  if (previous$state == "error") {
    return(previous)
  }
  days <- as.integer(filters$from - filters$previous$from)
  earlier <- previous$data
  values <- setdiff(names(earlier), "bucket")
  names(earlier) <- c("previous_bucket", paste0("previous_", values))[match(names(earlier), c("bucket", values))]
  earlier$bucket <- shift_bucket(earlier$previous_bucket, days)
  joined <- merge(current$data, earlier, by = "bucket", all = TRUE)
  list(state = both_states(current, previous), data = joined[order(joined$bucket), ], message = NULL)
}

# Adds previous_<value> to each row, by a column that names it. Rows keep the order of current; after them come those that
# only the previous period has.
#
# current, previous: as above. counts: columns that are 0 where a period has no row; rates: columns that are NA there.
with_previous_rows <- function(current, previous, by, counts, rates = character()) {
  if (is.null(previous) || current$state == "error") {
    return(current)
  }
  if (previous$state == "error") {
    return(previous)
  }
  values <- c(counts, rates)
  order <- union(current$data[[by]], previous$data[[by]])
  earlier <- previous$data[c(by, values)]
  names(earlier) <- c(by, paste0("previous_", values))
  only_previous <- previous$data[!previous$data[[by]] %in% current$data[[by]], , drop = FALSE]
  for (value in counts) only_previous[[value]] <- rep(0, nrow(only_previous))
  for (value in rates) only_previous[[value]] <- rep(NA_real_, nrow(only_previous))
  joined <- merge(rbind(current$data, only_previous), earlier, by = by, all.x = TRUE)
  for (value in paste0("previous_", counts)) joined[[value]][is.na(joined[[value]])] <- 0
  list(state = both_states(current, previous), data = joined[match(order, joined[[by]]), ], message = NULL)
}

both_states <- function(current, previous) {
  if (current$state == "empty" && previous$state == "empty") "empty" else "ok"
}
