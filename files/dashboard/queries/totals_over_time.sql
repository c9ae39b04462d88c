-- The numbers of totals.sql by hour or day, the empty ones included (rates there: NULL). Visitors: the distinct ones of
-- the bucket. Of today only what has begun is shown.
-- Parameters: the filters' six; $7 'hour' or 'day'.
-- Columns: bucket (local time, 'YYYY-MM-DD HH24:MI'), visitors, sessions, page_views, conversion_rate, cart_rate,
-- bounce_rate, mean_seconds.
WITH params AS NOT MATERIALIZED (
    SELECT filters.*, $7::text AS unit FROM filters
),
session AS (
    SELECT
        daily.day::timestamp AS bucket,
        sum(CASE params.login_state WHEN '' THEN daily.visitors ELSE daily.visitors_in_state END) AS visitors,
        sum(daily.sessions) AS sessions,
        sum(daily.purchase_sessions) AS purchase_sessions,
        sum(daily.cart_sessions) AS cart_sessions,
        sum(daily.bounces) AS bounces,
        sum(daily.seconds) AS seconds,
        sum(daily.page_views) AS page_views
    FROM public.daily_sessions AS daily
    CROSS JOIN params
    WHERE params.unit = 'day'
      AND daily.day BETWEEN params.first_day AND params.last_day
      AND daily.category = params.category AND daily.brand = params.brand
      AND params.login_state IN ('', daily.login_state)
    GROUP BY daily.day
    UNION ALL
    SELECT
        hourly.bucket,
        -- The visitor's first session of the hour.
        count(*) FILTER (WHERE hourly.previous_bucket IS NULL OR hourly.previous_bucket < hourly.bucket),
        count(*),
        count(*) FILTER (WHERE hourly.purchased),
        count(*) FILTER (WHERE hourly.carted),
        count(*) FILTER (WHERE hourly.bounced),
        sum(extract(epoch FROM hourly.ended_at - hourly.started_at)),
        sum(hourly.page_views)
    FROM (
        SELECT
            session.*,
            date_trunc('hour', session.started_at AT TIME ZONE params.time_zone) AS bucket,
            date_trunc('hour', CASE params.login_state
                WHEN '' THEN session.previous_at ELSE session.previous_in_state_at
            END AT TIME ZONE params.time_zone) AS previous_bucket
        FROM public.sessions AS session
        CROSS JOIN params
        WHERE params.unit = 'hour'
          AND session.started_at >= params.starts AND session.started_at < params.ends
          AND session.category = params.category AND session.brand = params.brand
          AND params.login_state IN ('', session.login_state)
    ) AS hourly
    GROUP BY hourly.bucket
),
viewed AS (
    SELECT date_trunc(params.unit, hourly.hour) AS bucket, sum(hourly.pages) AS page_views
    FROM public.hourly_pages AS hourly
    CROSS JOIN params
    WHERE params.category = '' AND params.brand = ''
      AND hourly.hour >= params.first_day AND hourly.hour < params.last_day + 1
      AND params.login_state IN ('', hourly.login_state)
    GROUP BY 1
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket,
    coalesce(visitors, 0)::bigint AS visitors,
    coalesce(sessions, 0)::bigint AS sessions,
    coalesce(
        CASE WHEN params.category = '' AND params.brand = '' THEN viewed.page_views ELSE session.page_views END, 0
    )::bigint AS page_views,
    purchase_sessions::double precision / sessions AS conversion_rate,
    cart_sessions::double precision / sessions AS cart_rate,
    bounces::double precision / sessions AS bounce_rate,
    seconds::double precision / sessions AS mean_seconds
FROM (
    SELECT generate_series(
        params.first_day::timestamp,
        least((params.last_day + 1)::timestamp - ('1 ' || params.unit)::interval, now() AT TIME ZONE params.time_zone),
        ('1 ' || params.unit)::interval
    ) AS bucket
    FROM params
) AS every_bucket
FULL JOIN session USING (bucket)
FULL JOIN viewed USING (bucket)
CROSS JOIN params
ORDER BY bucket
