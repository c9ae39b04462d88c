-- Sessions by depth: their page views.
-- Parameters: the period's six.
-- Columns: position (0 to 7), label, sessions. All eight rows.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
),
counted AS (
    SELECT
        width_bucket(session.page_views::double precision, '{1, 2, 3, 4, 6, 11, 21}') AS position,
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
        (0, '0'),
        (1, '1'),
        (2, '2'),
        (3, '3'),
        (4, '4 to 5'),
        (5, '6 to 10'),
        (6, '11 to 20'),
        (7, '21 and more')
) AS every_bucket (position, label)
LEFT JOIN counted USING (position)
ORDER BY position
