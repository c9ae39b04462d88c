-- Events by weekday and hour of the local clock: all 168, the empty ones included.
-- Parameters: the period's six.
-- Columns: weekday (1 = Monday to 7 = Sunday), hour (0 to 23), events.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
),
counted AS (
    SELECT
        extract(isodow FROM by_hour.hour AT TIME ZONE asked.time_zone)::integer AS weekday,
        extract(hour FROM by_hour.hour AT TIME ZONE asked.time_zone)::integer AS hour,
        sum(by_hour.events)::bigint AS events
    FROM (
        -- What is to be computed for each hour is computed once.
        SELECT hourly.hour, sum(hourly.events) AS events
        FROM public.hourly_events AS hourly
        CROSS JOIN asked
        WHERE hourly.hour >= asked.starts AND hourly.hour < asked.ends
          AND asked.login_state IN ('', hourly.login_state)
          AND asked.category IN ('', hourly.category) AND asked.brand IN ('', hourly.brand)
        GROUP BY hourly.hour
    ) AS by_hour
    CROSS JOIN asked
    GROUP BY 1, 2
)
SELECT weekday, hour, coalesce(events, 0) AS events
FROM generate_series(1, 7) AS weekday
CROSS JOIN generate_series(0, 23) AS hour
LEFT JOIN counted USING (weekday, hour)
ORDER BY weekday, hour
