CREATE OR REPLACE FUNCTION public.set_visitor_limit(events integer) RETURNS void
LANGUAGE sql AS 'UPDATE public.model_settings SET max_events_a_visitor_day = events';
