-- Aliases of event names, for SQL. Their source is lambda_src/contract/event_names.json: each run of the ETL makes these
-- rows equal to it.
CREATE TABLE public.event_name_aliases (
    alias      text PRIMARY KEY,
    event_name text NOT NULL CHECK (event_name <> alias)
);

COMMENT ON TABLE public.event_name_aliases IS
    'Alias -> event name in use; kept equal to event_names.json by the ETL.';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.event_name_aliases TO clickstream_loader;
GRANT SELECT ON public.event_name_aliases TO clickstream_reader;
