-- Events by hour or day, the empty ones included. Of today only what has begun is shown.
-- Parameters: the filters' six; $7 'hour' or 'day'.
-- Columns: bucket (local time, 'YYYY-MM-DD HH24:MI'), events.
WITH params AS NOT MATERIALIZED (
    SELECT filters.*, $7::text AS unit FROM filters
),
counted AS (
    SELECT daily.day::timestamp AS bucket, sum(daily.events)::bigint AS events
    FROM public.daily_events AS daily
    CROSS JOIN params
    WHERE params.unit = 'day'
      AND daily.day BETWEEN params.first_day AND params.last_day
      AND params.login_state IN ('', daily.login_state)
      AND params.category IN ('', daily.category) AND params.brand IN ('', daily.brand)
    GROUP BY 1
    UNION ALL
    SELECT hourly.hour, sum(hourly.events)::bigint
    FROM public.hourly_events AS hourly
    CROSS JOIN params
    WHERE params.unit = 'hour'
      AND hourly.hour >= params.first_day AND hourly.hour < params.last_day + 1
      AND params.login_state IN ('', hourly.login_state)
      AND params.category IN ('', hourly.category) AND params.brand IN ('', hourly.brand)
    GROUP BY 1
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket, coalesce(events, 0) AS events
FROM (
    SELECT generate_series(
        params.first_day::timestamp,
        least((params.last_day + 1)::timestamp - ('1 ' || params.unit)::interval, now() AT TIME ZONE params.time_zone),
        ('1 ' || params.unit)::interval
    ) AS bucket
    FROM params
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
