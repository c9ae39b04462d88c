-- The three numbers of a period. $1 first day, $2 last day, $3 time zone.
SELECT count(*)                   AS events,
       count(DISTINCT client_id)  AS visitors,
       count(DISTINCT session_id) AS sessions
FROM public.clickstream_events
WHERE event_timestamp >= ($1::date)::timestamp AT TIME ZONE $3
  AND event_timestamp < ($2::date + 1)::timestamp AT TIME ZONE $3
