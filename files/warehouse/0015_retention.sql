-- Drops the oldest week that ended more than `days` ago, if there is one, and returns how many it dropped: call it until
-- that is none. Its rows are deleted first, so that their ids and all that was counted of them go too. A week that
-- somebody is reading is left for the next time: neither the reader nor the loader waits long.
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
        -- Before the rows: it is what may have to wait.
        EXECUTE format('LOCK TABLE public.%I IN ACCESS EXCLUSIVE MODE', partition);
        boundary := to_date(right(partition, 8), 'YYYYMMDD') + 7;
    END IF;
    DELETE FROM public.clickstream_event_copies AS copy
    USING public.clickstream_event_ids AS id
    WHERE id.event_id = copy.event_id AND id.received_at < boundary;
    DELETE FROM public.clickstream_events WHERE received_at < boundary;
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
