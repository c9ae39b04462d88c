-- Events by name, the most frequent first.
-- Parameters: the period's six.
-- Columns: event_name, events.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
)
SELECT daily.event_name, sum(daily.events)::bigint AS events
FROM public.daily_events AS daily
CROSS JOIN asked
WHERE daily.day BETWEEN asked.first_day AND asked.last_day
  AND asked.login_state IN ('', daily.login_state)
  AND asked.category IN ('', daily.category) AND asked.brand IN ('', daily.brand)
GROUP BY daily.event_name
ORDER BY events DESC, event_name
