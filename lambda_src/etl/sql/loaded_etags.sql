-- Which of these objects are settled, and in which version: loaded, or set aside (and then tried again in their turn).
SELECT object_key, etag, false AS set_aside
FROM public.etl_objects
WHERE object_key = ANY (%(keys)s)
UNION ALL
SELECT object_key, etag, true
FROM public.etl_object_failures
WHERE object_key = ANY (%(keys)s)
  AND etag IS NOT NULL
