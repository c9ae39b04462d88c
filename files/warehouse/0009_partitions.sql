-- Weeks of receipt as partitions: made when the first row of a week arrives, dropped whole when their time is up.
-- The loader owns nothing; it may call these two functions, which run as the owner.

-- Makes what is missing for rows received at these times. Weeks that cannot be are left to the default partition:
-- longer than ten years ago or later than next week.
CREATE FUNCTION public.make_partitions(received timestamptz[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' AS $$
DECLARE
    week timestamptz;
    partition text;
BEGIN
    FOR week IN
        SELECT DISTINCT date_trunc('week', at)
        FROM unnest(received) AS at
        WHERE at BETWEEN now() - interval '10 years' AND now() + interval '1 week'
    LOOP
        partition := 'clickstream_events_' || to_char(week, 'YYYYMMDD');
        CONTINUE WHEN to_regclass('public.' || partition) IS NOT NULL;
        -- Rows that came before their week could have a partition stay where they are.
        CONTINUE WHEN EXISTS (
            SELECT FROM public.clickstream_events_other
            WHERE received_at >= week AND received_at < week + interval '1 week'
        );
        EXECUTE format(
            'CREATE TABLE public.%I PARTITION OF public.clickstream_events FOR VALUES FROM (%L) TO (%L)',
            partition, week, week + interval '1 week'
        );
    END LOOP;
END
$$;

-- Drops the weeks that ended more than `days` ago, and forgets their ids; returns how many. A week that somebody is
-- reading is left for the next time: neither the reader nor the loader waits long.
CREATE FUNCTION public.drop_expired_partitions(days integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = pg_catalog, pg_temp SET timezone = 'UTC' SET lock_timeout = '2s' AS $$
DECLARE
    boundary timestamptz := date_trunc('week', now() - make_interval(days => days));
    partition text;
    dropped integer := 0;
BEGIN
    IF days < 1 THEN
        RAISE EXCEPTION 'Rows cannot be kept for % days', days;
    END IF;
    FOR partition IN
        SELECT child.relname
        FROM pg_inherits
        JOIN pg_class AS child ON child.oid = inhrelid
        WHERE inhparent = 'public.clickstream_events'::regclass
          AND child.relname ~ '^clickstream_events_[0-9]{8}$'
          AND child.relname < 'clickstream_events_' || to_char(boundary, 'YYYYMMDD')
        ORDER BY 1
    LOOP
        EXECUTE format('DROP TABLE public.%I', partition);
        dropped := dropped + 1;
    END LOOP;
    DELETE FROM public.clickstream_events_other WHERE received_at < boundary;
    IF FOUND OR dropped > 0 THEN
        DELETE FROM public.clickstream_event_ids WHERE received_at < boundary;
        DELETE FROM public.clickstream_event_copies AS copy
        WHERE NOT EXISTS (
            SELECT FROM public.clickstream_event_ids AS id WHERE id.event_id = copy.event_id
        );
    END IF;
    RETURN dropped;
EXCEPTION
    WHEN lock_not_available THEN
        RETURN 0;
END
$$;

REVOKE ALL ON FUNCTION public.make_partitions, public.drop_expired_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.make_partitions, public.drop_expired_partitions TO clickstream_loader;
