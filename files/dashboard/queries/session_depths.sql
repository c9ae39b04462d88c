-- Sessions by depth: their page views.
-- Parameters: the filters' six.
-- Columns: position (0 to 8), label, sessions. All nine rows.
WITH counted AS (
    SELECT place - 1 AS position, sum(counts.sessions)::bigint AS sessions
    FROM public.daily_sessions AS daily
    CROSS JOIN filters
    CROSS JOIN LATERAL unnest(daily.depths) WITH ORDINALITY AS counts (sessions, place)
    WHERE daily.day BETWEEN filters.first_day AND filters.last_day
      AND daily.category = filters.category AND daily.brand = filters.brand
      AND filters.login_state IN ('', daily.login_state)
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
