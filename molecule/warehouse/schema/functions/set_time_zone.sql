CREATE OR REPLACE FUNCTION public.set_time_zone(zone text) RETURNS void
LANGUAGE sql AS 'UPDATE public.model_settings SET time_zone = zone';
