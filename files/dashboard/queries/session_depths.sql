-- Sessions by depth: their page views.
-- Parameters: the period's six.
-- Columns: position (0 to 8), label, sessions. All nine rows.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
),
counted AS (
    SELECT place - 1 AS position, sum(counts.sessions)::bigint AS sessions
    FROM public.daily_sessions AS daily
    CROSS JOIN asked
    CROSS JOIN LATERAL unnest(daily.depths) WITH ORDINALITY AS counts (sessions, place)
    WHERE daily.day BETWEEN asked.first_day AND asked.last_day
      AND daily.category = asked.category AND daily.brand = asked.brand
      AND asked.login_state IN ('', daily.login_state)
    GROUP BY place
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
        (7, '21 to 50'),
        (8, '51 and more')
) AS every_class (position, label)
LEFT JOIN counted USING (position)
ORDER BY position
