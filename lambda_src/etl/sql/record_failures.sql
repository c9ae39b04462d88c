-- An etag says that the object could be read but not be loaded: it is set aside. Its attempts begin anew where it could
-- not be read before, or was replaced.
INSERT INTO public.etl_object_failures AS failure (object_key, error, etag)
SELECT *
FROM unnest(%(keys)s::text[], %(errors)s::text[], %(etags)s::text[])
ON CONFLICT (object_key) DO UPDATE
SET attempts = CASE WHEN failure.etag IS NOT DISTINCT FROM excluded.etag THEN failure.attempts + 1 ELSE 1 END,
    error = excluded.error, etag = excluded.etag, last_failed_at = now()
