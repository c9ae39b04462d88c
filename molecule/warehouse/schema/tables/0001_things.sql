CREATE TABLE public.things (thing_id integer PRIMARY KEY, name text NOT NULL);
GRANT SELECT, INSERT ON public.things TO clickstream_loader;
GRANT SELECT ON public.things TO clickstream_reader;

-- What the role asks of every schema: settings, and the functions that change them.
CREATE TABLE public.model_settings (time_zone text NOT NULL, max_events_a_visitor_day integer NOT NULL, currency text NOT NULL);
INSERT INTO public.model_settings VALUES ('UTC', 1, 'EUR');
