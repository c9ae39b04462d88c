INSERT INTO public.etl_object_failures AS failure (object_key, error)
SELECT *
FROM unnest(%(keys)s::text[], %(errors)s::text[])
ON CONFLICT (object_key) DO UPDATE
SET attempts = failure.attempts + 1, error = excluded.error, last_failed_at = now()
