-- Raw objects that could not be read, or not be loaded and are set aside, the newest 100, whatever the filters.
-- Parameters: the filters' six.
-- Columns: object_key, attempts, error, first_failed, last_failed (local time, 'YYYY-MM-DD HH24:MI:SS'). The one that
-- failed last first.
SELECT
    failure.object_key, failure.attempts, left(failure.error, 200) AS error,
    to_char(failure.first_failed_at AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS first_failed,
    to_char(failure.last_failed_at AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS last_failed
FROM public.etl_object_failures AS failure
CROSS JOIN filters
ORDER BY failure.last_failed_at DESC, failure.object_key
LIMIT 100
