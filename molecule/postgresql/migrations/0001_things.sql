CREATE TABLE public.things (thing_id integer PRIMARY KEY, name text NOT NULL);
GRANT SELECT, INSERT ON public.things TO clickstream_loader;
GRANT SELECT ON public.things TO clickstream_reader;
