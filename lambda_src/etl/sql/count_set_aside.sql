SELECT count(*)
FROM public.etl_object_failures
WHERE etag IS NOT NULL
