INSERT INTO public.etl_runs (payload)
VALUES (%(payload)s)
RETURNING run_id
