UPDATE public.etl_watermark
SET listed_from = %(boundary)s, moved_at = now()
WHERE listed_from < %(boundary)s
