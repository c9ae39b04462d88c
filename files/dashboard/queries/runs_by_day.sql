-- What the ETL's runs counted, by the day on which they began, the days without runs included. Future days are left
-- out. Of the filters only the dates count.
-- Parameters: the filters' six.
-- Columns: bucket (the day, 'YYYY-MM-DD HH24:MI'), runs, failed_runs, loaded, duplicates, rejected, refused_kept and
-- refused_not_kept (what the collector refused, as far as raw objects say).
WITH counted AS (
    SELECT
        date_trunc('day', run.started_at AT TIME ZONE filters.time_zone) AS bucket,
        count(*) AS runs,
        count(*) FILTER (WHERE run.status = 'failed') AS failed_runs,
        sum(run.events_loaded)::bigint AS loaded,
        sum(run.events_duplicate)::bigint AS duplicates,
        sum(run.events_rejected)::bigint AS rejected,
        sum(run.events_refused_kept)::bigint AS refused_kept,
        sum(run.events_refused - run.events_refused_kept)::bigint AS refused_not_kept
    FROM public.etl_runs AS run
    CROSS JOIN filters
    WHERE run.started_at >= filters.starts AND run.started_at < filters.ends
    GROUP BY 1
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket,
    coalesce(runs, 0) AS runs, coalesce(failed_runs, 0) AS failed_runs, coalesce(loaded, 0) AS loaded,
    coalesce(duplicates, 0) AS duplicates, coalesce(rejected, 0) AS rejected,
    coalesce(refused_kept, 0) AS refused_kept, coalesce(refused_not_kept, 0) AS refused_not_kept
FROM (
    SELECT generate_series(
        filters.first_day::timestamp,
        least(filters.last_day::timestamp, now() AT TIME ZONE filters.time_zone),
        '1 day'
    ) AS bucket
    FROM filters
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
