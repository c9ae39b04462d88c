DELETE FROM public.etl_objects
WHERE object_key < %(boundary)s
