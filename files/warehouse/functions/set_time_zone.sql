-- Changes the time zone whose days and hours are counted by, and counts everything anew.
CREATE OR REPLACE FUNCTION public.set_time_zone(zone text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = zone) THEN
        RAISE EXCEPTION 'There is no time zone "%". Fix: name it as IANA does, like Asia/Ho_Chi_Minh.', zone;
    END IF;
    UPDATE public.model_settings SET time_zone = zone WHERE time_zone <> zone;
    IF FOUND THEN
        PERFORM public.rebuild_model();
    END IF;
END
$$;

REVOKE ALL ON FUNCTION public.set_time_zone FROM PUBLIC;
