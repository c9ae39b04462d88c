-- Events in the warehouse by the day on which they happened, bots apart, the empty days included. Future days are left
-- out. Of the filters only the dates count.
-- Parameters: the period's six.
-- Columns: bucket (the day, 'YYYY-MM-DD HH24:MI'), events, bots.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
),
counted AS (
    SELECT
        load.day::timestamp AS bucket,
        coalesce(sum(load.events) FILTER (WHERE NOT load.is_bot), 0)::bigint AS events,
        coalesce(sum(load.events) FILTER (WHERE load.is_bot), 0)::bigint AS bots
    FROM public.daily_loads AS load
    CROSS JOIN asked
    WHERE load.day BETWEEN asked.first_day AND asked.last_day
    GROUP BY load.day
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket, coalesce(events, 0) AS events, coalesce(bots, 0) AS bots
FROM (
    SELECT generate_series(
        asked.first_day::timestamp,
        least(asked.last_day::timestamp, now() AT TIME ZONE asked.time_zone),
        '1 day'
    ) AS bucket
    FROM asked
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
