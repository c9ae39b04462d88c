SELECT public.make_partitions(array_agg(received_at))
FROM (SELECT DISTINCT date_trunc('day', received_at, 'UTC') AS received_at FROM etl_ids) AS days
