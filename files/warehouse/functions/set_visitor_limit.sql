-- Changes from how many events a day on a visitor counts as a bot, and counts everything anew.
CREATE OR REPLACE FUNCTION public.set_visitor_limit(events integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE public.model_settings SET max_events_a_visitor_day = events WHERE max_events_a_visitor_day <> events;
    IF FOUND THEN
        PERFORM public.rebuild_model();
    END IF;
END
$$;

REVOKE ALL ON FUNCTION public.set_visitor_limit FROM PUBLIC;
