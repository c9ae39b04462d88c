-- Raw objects that could not be read, the newest 100.
-- Parameters: $1 time zone.
-- Columns: object_key, attempts, error, first_failed, last_failed (local time, 'YYYY-MM-DD HH24:MI:SS'). The one that
-- failed last first.
SELECT
    object_key, attempts, error,
    to_char(first_failed_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS first_failed,
    to_char(last_failed_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS last_failed
FROM public.etl_object_failures
ORDER BY last_failed_at DESC, object_key
LIMIT 100
