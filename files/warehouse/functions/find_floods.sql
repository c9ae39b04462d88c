-- Finds all floods anew: after a change of the time zone or of the limit.
CREATE OR REPLACE FUNCTION public.find_floods() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    zone text;
    most integer;
BEGIN
    SELECT time_zone, max_events_a_visitor_day INTO zone, most FROM public.model_settings;
    DELETE FROM public.flood_days;
    INSERT INTO public.flood_days
    SELECT visitor, public.day_start(day, zone), public.day_start(day + 1, zone)
    FROM (
        SELECT visitor, (event_timestamp AT TIME ZONE zone)::date AS day
        FROM public.clickstream_events
        WHERE NOT is_bot AND visitor IS NOT NULL
        GROUP BY 1, 2
        HAVING count(*) > most
    ) AS flood;
    UPDATE public.clickstream_events AS stored SET flood = NULL
    WHERE flood AND NOT EXISTS (
        SELECT FROM public.flood_days AS day
        WHERE day.visitor = stored.visitor AND event_timestamp >= starts AND event_timestamp < ends
    );
    UPDATE public.clickstream_events AS stored SET flood = true
    FROM public.flood_days AS day
    WHERE day.visitor = stored.visitor AND event_timestamp >= starts AND event_timestamp < ends
      AND NOT is_bot AND flood IS NULL;
END
$$;

REVOKE ALL ON FUNCTION public.find_floods FROM PUBLIC;
