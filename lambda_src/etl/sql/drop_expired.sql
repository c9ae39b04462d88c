WITH old AS (
    DELETE FROM public.rejected_events
    WHERE rejected_at < now() - make_interval(days => %(days)s)
)
SELECT public.drop_expired_partitions(%(days)s)
