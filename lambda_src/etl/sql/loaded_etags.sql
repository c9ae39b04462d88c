-- Which of these objects are loaded, and in which version.
SELECT object_key, etag
FROM public.etl_objects
WHERE object_key = ANY (%(keys)s)
