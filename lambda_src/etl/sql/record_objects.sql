INSERT INTO public.etl_objects (object_key, etag, run_id)
SELECT object_key, etag, %(run_id)s
FROM unnest(%(keys)s::text[], %(etags)s::text[]) AS loaded (object_key, etag)
ON CONFLICT (object_key) DO UPDATE
SET etag = excluded.etag, run_id = excluded.run_id, loaded_at = excluded.loaded_at
