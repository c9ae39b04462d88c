-- Events by name, the most frequent first. $1 first day, $2 last day, $3 time zone.
SELECT event_name, count(*) AS events
FROM public.clickstream_events
WHERE event_timestamp >= ($1::date)::timestamp AT TIME ZONE $3
  AND event_timestamp < ($2::date + 1)::timestamp AT TIME ZONE $3
GROUP BY event_name
ORDER BY events DESC, event_name
