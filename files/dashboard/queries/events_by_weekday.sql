-- Events by weekday and hour of the local clock: all 168, the empty ones included.
-- Parameters: the filters' six.
-- Columns: weekday (1 = Monday to 7 = Sunday), hour (0 to 23), events.
WITH counted AS (
    SELECT
        extract(isodow FROM by_hour.hour)::integer AS weekday,
        extract(hour FROM by_hour.hour)::integer AS hour,
        sum(by_hour.events)::bigint AS events
    FROM (
        -- What is to be computed for each hour is computed once.
        SELECT hourly.hour, sum(hourly.events) AS events
        FROM public.hourly_events AS hourly
        CROSS JOIN filters
        WHERE hourly.hour >= filters.first_day AND hourly.hour < filters.last_day + 1
          AND filters.login_state IN ('', hourly.login_state)
          AND filters.category IN ('', hourly.category) AND filters.brand IN ('', hourly.brand)
        GROUP BY hourly.hour
    ) AS by_hour
    GROUP BY 1, 2
)
SELECT weekday, hour, coalesce(events, 0) AS events
FROM generate_series(1, 7) AS weekday
CROSS JOIN generate_series(0, 23) AS hour
LEFT JOIN counted USING (weekday, hour)
ORDER BY weekday, hour
