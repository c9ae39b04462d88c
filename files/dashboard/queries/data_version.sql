-- What changes with every load: the last ETL run and how far it has come. Runs are numbered anew after a rebuild of the
-- warehouse, so its time is a part of it.
-- Parameters: none.
-- Columns: run_id, started_at, chunks, status. One row, or none before the first run.
SELECT run_id, started_at, chunks, status FROM public.etl_runs ORDER BY run_id DESC LIMIT 1
