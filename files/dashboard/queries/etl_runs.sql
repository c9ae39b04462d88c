-- The ETL's newest 20 runs.
-- Parameters: $1 time zone.
-- Columns: run_id, started, finished (local time, 'YYYY-MM-DD HH24:MI:SS'), seconds (both NULL while it runs, or
-- where it was killed), status, objects_read, objects_failed, objects_left, loaded, duplicates, rejected. The newest
-- first.
SELECT
    run_id,
    to_char(started_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS started,
    to_char(finished_at AT TIME ZONE $1, 'YYYY-MM-DD HH24:MI:SS') AS finished,
    extract(epoch FROM finished_at - started_at)::double precision AS seconds,
    status, objects_read, objects_failed, objects_left,
    events_loaded AS loaded, events_duplicate AS duplicates, events_rejected AS rejected
FROM public.etl_runs
ORDER BY run_id DESC
LIMIT 20
