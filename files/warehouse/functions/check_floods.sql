-- Settles of these visitors' days whether they are floods: more events than max_events_a_visitor_day. Marks their events, or
-- takes the marks away; the triggers on the events then change the model. The arrays have the same length.
CREATE OR REPLACE FUNCTION public.check_floods(visitors bigint[], days date[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    zone text;
    most integer;
    one record;
    found_events bigint;
BEGIN
    SELECT time_zone, max_events_a_visitor_day INTO zone, most FROM public.model_settings;
    FOR one IN
        SELECT visitor, public.day_start(day, zone) AS starts, public.day_start(day + 1, zone) AS ends
        FROM unnest(visitors, days) AS touched (visitor, day)
    LOOP
        SELECT count(*) INTO found_events
        FROM (
            (
                SELECT FROM public.clickstream_events
                WHERE visitor = one.visitor AND event_timestamp >= one.starts AND event_timestamp < one.ends
                  AND NOT is_bot AND flood IS NULL
                LIMIT most + 1
            ) UNION ALL (
                SELECT FROM public.clickstream_events
                WHERE visitor = one.visitor AND event_timestamp >= one.starts AND event_timestamp < one.ends
                  AND NOT is_bot AND flood
                LIMIT most + 1
            )
        ) AS counted;
        IF found_events > most THEN
            -- First the marks: what is not marked on a day that is listed counts nowhere.
            UPDATE public.clickstream_events SET flood = true
            WHERE visitor = one.visitor AND event_timestamp >= one.starts AND event_timestamp < one.ends
              AND NOT is_bot AND flood IS NULL;
            INSERT INTO public.flood_days VALUES (one.visitor, one.starts, one.ends) ON CONFLICT DO NOTHING;
        ELSE
            DELETE FROM public.flood_days WHERE visitor = one.visitor AND starts = one.starts;
            UPDATE public.clickstream_events SET flood = NULL
            WHERE visitor = one.visitor AND event_timestamp >= one.starts AND event_timestamp < one.ends
              AND NOT is_bot AND flood;
        END IF;
    END LOOP;
END
$$;

REVOKE ALL ON FUNCTION public.check_floods FROM PUBLIC;
