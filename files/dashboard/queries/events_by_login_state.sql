-- Events by the login state that they carry ('' where they carry none), the most frequent first.
-- Parameters: the filters' six.
-- Columns: login_state, events.
SELECT daily.login_state, sum(daily.events)::bigint AS events
FROM public.daily_events AS daily
CROSS JOIN filters
WHERE daily.day BETWEEN filters.first_day AND filters.last_day
  AND filters.login_state IN ('', daily.login_state)
  AND filters.category IN ('', daily.category) AND filters.brand IN ('', daily.brand)
GROUP BY daily.login_state
ORDER BY events DESC, login_state
