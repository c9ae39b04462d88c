SELECT public.drop_expired_partitions(%(days)s)
