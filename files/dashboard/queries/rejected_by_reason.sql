-- Events that could not become rows, by why, of those rejected in the period. Of the filters only the dates count.
-- Parameters: the period's six.
-- Columns: code, reason (the newest of this code), events, last_rejected (local time, 'YYYY-MM-DD HH24:MI:SS'). Most
-- first.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
)
SELECT
    rejected.code,
    (
        array_agg(rejected.reason ORDER BY rejected.rejected_at DESC, rejected.object_key, rejected.position)
    )[1] AS reason,
    count(*) AS events,
    to_char(max(rejected.rejected_at AT TIME ZONE asked.time_zone), 'YYYY-MM-DD HH24:MI:SS') AS last_rejected
FROM public.rejected_events AS rejected
CROSS JOIN asked
WHERE rejected.rejected_at >= asked.starts AND rejected.rejected_at < asked.ends
GROUP BY rejected.code
ORDER BY events DESC, code
