-- How long events took from when they happened into the warehouse, of those that happened in the period. Of the filters
-- only the dates count.
-- Parameters: the filters' six.
-- Columns: position (0 to 6), label, events, bots. All seven rows.
WITH counted AS (
    SELECT
        load.lag_bucket AS position,
        coalesce(sum(load.events) FILTER (WHERE NOT load.is_bot), 0)::bigint AS events,
        coalesce(sum(load.events) FILTER (WHERE load.is_bot), 0)::bigint AS bots
    FROM public.daily_loads AS load
    CROSS JOIN filters
    WHERE load.day BETWEEN filters.first_day AND filters.last_day
    GROUP BY load.lag_bucket
)
SELECT position, label, coalesce(events, 0) AS events, coalesce(bots, 0) AS bots
FROM (
    VALUES
        (0, 'under 15 min'),
        (1, '15 to 30 min'),
        (2, '30 to 60 min'),
        (3, '1 to 2 h'),
        (4, '2 to 6 h'),
        (5, '6 to 24 h'),
        (6, '1 day and longer')
) AS every_bucket (position, label)
LEFT JOIN counted USING (position)
ORDER BY position
