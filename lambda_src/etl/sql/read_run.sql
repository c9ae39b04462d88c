-- And limits the time of the transaction's statements, and the wait for a lock to less: who waits for a lock has met
-- no bad event.
SELECT
    chunks, events_loaded, events_duplicate,
    set_config('statement_timeout', %(milliseconds)s::text, true),
    set_config('lock_timeout', least(30000, %(milliseconds)s / 2)::text, true)
FROM public.etl_runs
WHERE run_id = %(run_id)s
