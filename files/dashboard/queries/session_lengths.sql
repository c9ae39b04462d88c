-- Sessions by length: the time from their first event to their last.
-- Parameters: the period's six.
-- Columns: position (0 to 8), label, sessions. All nine rows.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
),
counted AS (
    SELECT
        width_bucket(
            date_part('epoch', session.ended_at - session.started_at), -- extract() takes five times as long
            '{0.000001, 10, 30, 60, 180, 600, 1800, 3600}'
        ) AS position,
        count(*) AS sessions
    FROM public.sessions AS session
    CROSS JOIN asked
    WHERE session.started_at >= asked.starts AND session.started_at < asked.ends
      AND session.category = asked.category AND session.brand = asked.brand
      AND asked.login_state IN ('', session.login_state)
    GROUP BY 1
)
SELECT position, label, coalesce(sessions, 0) AS sessions
FROM (
    VALUES
        (0, 'one moment'),
        (1, 'under 10 s'),
        (2, '10 to 30 s'),
        (3, '30 to 60 s'),
        (4, '1 to 3 min'),
        (5, '3 to 10 min'),
        (6, '10 to 30 min'),
        (7, '30 to 60 min'),
        (8, '1 h and longer')
) AS every_bucket (position, label)
LEFT JOIN counted USING (position)
ORDER BY position
