UPDATE public.etl_runs
SET status = %(status)s, finished_at = now()
WHERE run_id = %(run_id)s
