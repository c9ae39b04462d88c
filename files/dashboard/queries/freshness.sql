-- When the last event happened and the last ETL run that loaded what it could ended, in local time, and minutes since
-- then; NULL where there is none yet.
-- Parameters: $1 time zone.
-- Columns: last_event, last_load ('YYYY-MM-DD HH24:MI:SS'), minutes_since_event, minutes_since_load. One row.
SELECT
    to_char(last_event AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS last_event,
    to_char(last_load AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS last_load,
    (extract(epoch FROM now() - last_event) / 60)::double precision AS minutes_since_event,
    (extract(epoch FROM now() - last_load) / 60)::double precision AS minutes_since_load
FROM (
    SELECT
        (SELECT max(event_timestamp) FROM public.clickstream_events) AS last_event,
        (SELECT max(finished_at) FROM public.etl_runs WHERE status IN ('complete', 'incomplete')) AS last_load
) AS newest
