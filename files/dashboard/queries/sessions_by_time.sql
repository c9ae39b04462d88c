-- Sessions of new and of returning visitors by hour or day, the empty ones included. New: no session of the visitor
-- began before; with a category or brand, none that had to do with it. Of today only what has begun is shown.
-- Parameters: the filters' six; $7 'hour' or 'day'.
-- Columns: bucket (local time, 'YYYY-MM-DD HH24:MI'), new_sessions, returning_sessions.
WITH params AS NOT MATERIALIZED (
    SELECT filters.*, $7::text AS unit FROM filters
),
counted AS (
    SELECT
        daily.day::timestamp AS bucket,
        sum(daily.new_visitors)::bigint AS new_sessions,
        sum(daily.sessions - daily.new_visitors)::bigint AS returning_sessions
    FROM public.daily_sessions AS daily
    CROSS JOIN params
    WHERE params.unit = 'day'
      AND daily.day BETWEEN params.first_day AND params.last_day
      AND daily.category = params.category AND daily.brand = params.brand
      AND params.login_state IN ('', daily.login_state)
    GROUP BY 1
    UNION ALL
    SELECT
        date_trunc('hour', session.started_at AT TIME ZONE params.time_zone),
        count(*) FILTER (WHERE session.previous_at IS NULL),
        count(session.previous_at)
    FROM public.sessions AS session
    CROSS JOIN params
    WHERE params.unit = 'hour'
      AND session.started_at >= params.starts AND session.started_at < params.ends
      AND session.category = params.category AND session.brand = params.brand
      AND params.login_state IN ('', session.login_state)
    GROUP BY 1
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket,
    coalesce(new_sessions, 0) AS new_sessions, coalesce(returning_sessions, 0) AS returning_sessions
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
