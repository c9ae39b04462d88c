-- Sessions of new and of returning visitors by hour or day, the empty ones included. New: no session of the visitor
-- began before; with a category or brand, none that had to do with it. Of today only what has begun is shown.
-- Parameters: the period's six; $7 'hour' or 'day'.
-- Columns: bucket (local time, 'YYYY-MM-DD HH24:MI'), new_sessions, returning_sessions.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends, $7::text AS unit
),
counted AS (
    SELECT
        daily.day::timestamp AS bucket,
        sum(daily.new_visitors)::bigint AS new_sessions,
        sum(daily.sessions - daily.new_visitors)::bigint AS returning_sessions
    FROM public.daily_sessions AS daily
    CROSS JOIN asked
    WHERE asked.unit = 'day'
      AND daily.day BETWEEN asked.first_day AND asked.last_day
      AND daily.category = asked.category AND daily.brand = asked.brand
      AND asked.login_state IN ('', daily.login_state)
    GROUP BY 1
    UNION ALL
    SELECT
        date_trunc('hour', session.started_at AT TIME ZONE asked.time_zone),
        count(*) FILTER (WHERE session.previous_at IS NULL),
        count(session.previous_at)
    FROM public.sessions AS session
    CROSS JOIN asked
    WHERE asked.unit = 'hour'
      AND session.started_at >= asked.starts AND session.started_at < asked.ends
      AND session.category = asked.category AND session.brand = asked.brand
      AND asked.login_state IN ('', session.login_state)
    GROUP BY 1
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket,
    coalesce(new_sessions, 0) AS new_sessions, coalesce(returning_sessions, 0) AS returning_sessions
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
