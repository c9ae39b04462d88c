-- Events of loaded raw objects that could not become rows. They are replaced as a whole whenever their object is read.
-- raw_event is text and not jsonb, because it may hold what jsonb refuses.
CREATE TABLE public.rejected_events (
    object_key  text COLLATE "C" NOT NULL,
    position    integer     NOT NULL,
    code        text        NOT NULL,
    reason      text        NOT NULL,
    raw_event   text        NOT NULL,
    rejected_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object_key, position)
);

COMMENT ON TABLE public.rejected_events IS 'Events that could not become rows.';
COMMENT ON COLUMN public.rejected_events.position IS
    'Index of the event in the raw object; -1 where the object as a whole is unreadable.';
COMMENT ON COLUMN public.rejected_events.raw_event IS
    'The event''s JSON. NUL and lone surrogates stand as \u escapes; long texts are cut.';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.rejected_events TO clickstream_loader;
GRANT SELECT ON public.rejected_events TO clickstream_reader;
