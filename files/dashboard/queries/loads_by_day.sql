-- Events in the warehouse by the day on which they happened, bots apart, the empty days included. Future days are left
-- out. Of the filters only the dates count.
-- Parameters: the filters' six.
-- Columns: bucket (the day, 'YYYY-MM-DD HH24:MI'), events, bots.
WITH counted AS (
    SELECT
        load.day::timestamp AS bucket,
        coalesce(sum(load.events) FILTER (WHERE NOT load.is_bot), 0)::bigint AS events,
        coalesce(sum(load.events) FILTER (WHERE load.is_bot), 0)::bigint AS bots
    FROM public.daily_loads AS load
    CROSS JOIN filters
    WHERE load.day BETWEEN filters.first_day AND filters.last_day
    GROUP BY load.day
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket, coalesce(events, 0) AS events, coalesce(bots, 0) AS bots
FROM (
    SELECT generate_series(
        filters.first_day::timestamp,
        least(filters.last_day::timestamp, now() AT TIME ZONE filters.time_zone),
        '1 day'
    ) AS bucket
    FROM filters
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
