-- Events by name, the most frequent first: at most 50 names, because anybody can invent one.
-- Parameters: the filters' six.
-- Columns: event_name, events.
SELECT daily.event_name, sum(daily.events)::bigint AS events
FROM public.daily_events AS daily
CROSS JOIN filters
WHERE daily.day BETWEEN filters.first_day AND filters.last_day
  AND filters.login_state IN ('', daily.login_state)
  AND filters.category IN ('', daily.category) AND filters.brand IN ('', daily.brand)
GROUP BY daily.event_name
ORDER BY events DESC, event_name
LIMIT 50
