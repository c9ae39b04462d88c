-- What changes with every load: the last ETL run and how far it has come.
-- Parameters: none.
-- Columns: run_id, chunks, status. One row, or none before the first run.
SELECT run_id, chunks, status FROM public.etl_runs ORDER BY run_id DESC LIMIT 1
