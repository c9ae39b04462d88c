SELECT listed_from
FROM public.etl_watermark
