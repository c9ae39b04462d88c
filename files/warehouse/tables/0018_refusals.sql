-- What the collector refused never comes to the warehouse. Its raw objects say how much it was, and how much of it is kept.
ALTER TABLE public.etl_runs
    ADD COLUMN events_refused bigint NOT NULL DEFAULT 0,
    ADD COLUMN events_refused_kept bigint NOT NULL DEFAULT 0;

COMMENT ON COLUMN public.etl_runs.events_refused IS
    'Events that the collector refused, as the objects say that the run read for the first time. At least so many: what an '
    'execution environment of the collector refused after its last raw object is in its log alone.';
COMMENT ON COLUMN public.etl_runs.events_refused_kept IS 'Of these, the events that are kept under rejected/.';
