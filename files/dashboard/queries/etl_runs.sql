-- The ETL's newest 20 runs, whatever the filters.
-- Parameters: the filters' six.
-- Columns: run_id, started, finished (local time, 'YYYY-MM-DD HH24:MI:SS'), seconds (both NULL while it runs, or
-- where it was killed), status, objects_read, objects_failed, objects_left, loaded, duplicates, rejected. The newest
-- first.
SELECT
    run.run_id,
    to_char(run.started_at AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS started,
    to_char(run.finished_at AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS finished,
    extract(epoch FROM run.finished_at - run.started_at)::double precision AS seconds,
    run.status, run.objects_read, run.objects_failed, run.objects_left,
    run.events_loaded AS loaded, run.events_duplicate AS duplicates, run.events_rejected AS rejected
FROM public.etl_runs AS run
CROSS JOIN filters
ORDER BY run.run_id DESC
LIMIT 20
