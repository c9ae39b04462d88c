-- Events by hour or day, the empty ones included. Of today only what has begun is shown.
-- Parameters: the period's six; $7 'hour' or 'day'.
-- Columns: bucket (local time, 'YYYY-MM-DD HH24:MI'), events.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends, $7::text AS unit
),
counted AS (
    SELECT daily.day::timestamp AS bucket, sum(daily.events)::bigint AS events
    FROM public.daily_events AS daily
    CROSS JOIN asked
    WHERE asked.unit = 'day'
      AND daily.day BETWEEN asked.first_day AND asked.last_day
      AND asked.login_state IN ('', daily.login_state)
      AND asked.category IN ('', daily.category) AND asked.brand IN ('', daily.brand)
    GROUP BY 1
    UNION ALL
    SELECT hourly.hour AT TIME ZONE asked.time_zone, sum(hourly.events)::bigint
    FROM public.hourly_events AS hourly
    CROSS JOIN asked
    WHERE asked.unit = 'hour'
      AND hourly.hour >= asked.starts AND hourly.hour < asked.ends
      AND asked.login_state IN ('', hourly.login_state)
      AND asked.category IN ('', hourly.category) AND asked.brand IN ('', hourly.brand)
    GROUP BY 1
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket, coalesce(events, 0) AS events
FROM (
    SELECT generate_series(
        asked.first_day::timestamp,
        least((asked.last_day + 1)::timestamp - ('1 ' || asked.unit)::interval, now() AT TIME ZONE asked.time_zone),
        ('1 ' || asked.unit)::interval
    ) AS bucket
    FROM asked
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
