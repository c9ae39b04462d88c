-- Drops the oldest week that ended more than `days` ago, and returns how many weeks it dropped: 1, or 0 when there is none.
-- The loader calls it until it returns 0. The rows are deleted before the table is dropped, so that triggers remove their
-- ids and everything that was counted from them. A week that somebody is reading is left for the next time: neither the
-- reader nor the loader waits long.
--
-- It runs as its owner: the loader owns no table.
CREATE OR REPLACE FUNCTION public.drop_expired_partitions(days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    boundary timestamptz := date_trunc('week', now() - make_interval(days => days));
    partition text;
BEGIN
    IF days < 1 THEN
        RAISE EXCEPTION 'Rows cannot be kept for % days', days;
    END IF;
    SELECT min(child.relname) INTO partition
    FROM pg_inherits
    JOIN pg_class AS child ON child.oid = inhrelid
    WHERE inhparent = 'public.clickstream_events'::regclass
      AND child.relname ~ '^clickstream_events_[0-9]{8}$'
      AND child.relname < 'clickstream_events_' || to_char(boundary, 'YYYYMMDD');
    IF partition IS NOT NULL THEN
        -- Before any row is deleted, because this lock is what may have to wait.
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', partition);
        boundary := to_date(right(partition, 8), 'YYYYMMDD') + 7;
    END IF;
    DELETE FROM public.clickstream_event_copies AS copy
    USING public.clickstream_event_ids AS id
    WHERE id.event_id = copy.event_id AND id.received_at < boundary;
    DELETE FROM public.clickstream_events WHERE received_at < boundary;
    -- Labels that nothing counts under any more; those in use stay, so that no flood of new ones pushes them out.
    DELETE FROM public.labels AS label
    WHERE day < boundary
      AND NOT EXISTS (SELECT FROM public.daily_events WHERE kind = 1 AND event_name = value)
      AND NOT EXISTS (SELECT FROM public.daily_events WHERE kind = 4 AND category = value)
      AND NOT EXISTS (SELECT FROM public.daily_events WHERE kind = 8 AND brand = value)
      AND NOT EXISTS (SELECT FROM public.order_items WHERE kind = 4 AND category = value)
      AND NOT EXISTS (SELECT FROM public.order_items WHERE kind = 8 AND brand = value)
      AND NOT EXISTS (SELECT FROM public.daily_products WHERE kind = 2 AND product_id = value)
      AND NOT EXISTS (SELECT FROM public.products WHERE kind = 2 AND product_id = value);
    IF partition IS NULL THEN
        RETURN 0;
    END IF;
    EXECUTE format('DROP TABLE public.%I', partition);
    RETURN 1;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN 0;
END
$$;

REVOKE ALL ON FUNCTION public.drop_expired_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.drop_expired_partitions TO clickstream_loader;
