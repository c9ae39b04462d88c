-- Raw objects that could not be read, the newest 100, whatever the filters.
-- Parameters: the period's six.
-- Columns: object_key, attempts, error, first_failed, last_failed (local time, 'YYYY-MM-DD HH24:MI:SS'). The one that
-- failed last first.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand
)
SELECT
    failure.object_key, failure.attempts, failure.error,
    to_char(failure.first_failed_at AT TIME ZONE asked.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS first_failed,
    to_char(failure.last_failed_at AT TIME ZONE asked.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS last_failed
FROM public.etl_object_failures AS failure
CROSS JOIN asked
ORDER BY failure.last_failed_at DESC, failure.object_key
LIMIT 100
