SELECT public.make_partitions(min(received_at), max(received_at))
FROM etl_staging
