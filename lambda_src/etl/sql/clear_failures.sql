DELETE FROM public.etl_object_failures
WHERE object_key = ANY (%(keys)s)
