SELECT public.make_partitions(%(days)s::timestamptz[])
