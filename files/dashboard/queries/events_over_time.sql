-- Events by hour or day, the empty ones included. $1 first day, $2 last day, $3 time zone, $4 'hour' or 'day'.
-- Labels are local time as text: charts must not shift them again. Of today only what has begun is shown.
WITH counted AS (
    SELECT date_trunc($4, event_timestamp AT TIME ZONE $3) AS bucket, count(*) AS events
    FROM public.clickstream_events
    WHERE event_timestamp >= ($1::date)::timestamp AT TIME ZONE $3
      AND event_timestamp < ($2::date + 1)::timestamp AT TIME ZONE $3
    GROUP BY 1
),
ends AS (
    SELECT greatest(least(($2::date + 1)::timestamp - ('1 ' || $4)::interval,
                          date_trunc($4, now() AT TIME ZONE $3)),
                    (SELECT max(bucket) FROM counted)) AS last
)
SELECT to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket, coalesce(events, 0) AS events
FROM ends
CROSS JOIN LATERAL generate_series(($1::date)::timestamp, ends.last, ('1 ' || $4)::interval) AS bucket
LEFT JOIN counted USING (bucket)
ORDER BY bucket
