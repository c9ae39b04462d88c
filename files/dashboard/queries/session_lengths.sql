-- Sessions by length: the time from their first event to their last.
-- Parameters: the filters' six.
-- Columns: position (0 to 8), label, sessions. All nine rows.
WITH counted AS (
    SELECT place - 1 AS position, sum(counts.sessions)::bigint AS sessions
    FROM public.daily_sessions AS daily
    CROSS JOIN filters
    CROSS JOIN LATERAL unnest(daily.lengths) WITH ORDINALITY AS counts (sessions, place)
    WHERE daily.day BETWEEN filters.first_day AND filters.last_day
      AND daily.category = filters.category AND daily.brand = filters.brand
      AND filters.login_state IN ('', daily.login_state)
    GROUP BY place
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
) AS every_class (position, label)
LEFT JOIN counted USING (position)
ORDER BY position
