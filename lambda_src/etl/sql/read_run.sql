SELECT chunks, events_loaded, events_duplicate
FROM public.etl_runs
WHERE run_id = %(run_id)s
