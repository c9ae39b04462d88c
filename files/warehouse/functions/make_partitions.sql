-- Creates the missing weekly partitions for rows received at these times. Rows of other weeks (more than ten years ago, or
-- after next week) go to the default partition.
--
-- It runs as its owner: the loader owns no table.
CREATE OR REPLACE FUNCTION public.make_partitions(received timestamptz[]) RETURNS void
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
        -- A week of which the default partition already holds rows stays there.
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

REVOKE ALL ON FUNCTION public.make_partitions FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.make_partitions TO clickstream_loader;
