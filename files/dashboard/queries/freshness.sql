-- The last event that is here, and the end of the last ETL run. $1 time zone.
SELECT to_char((SELECT max(event_timestamp) FROM public.clickstream_events) AT TIME ZONE $1,
               'YYYY-MM-DD HH24:MI:SS') AS last_event,
       to_char((SELECT max(finished_at) FROM public.etl_runs WHERE status IN ('complete', 'incomplete'))
               AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS last_load
