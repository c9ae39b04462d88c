-- The ledger: raw objects that are loaded, written in the transaction that loads them.
CREATE TABLE public.etl_objects (
    object_key text        PRIMARY KEY,
    etag       text        NOT NULL,
    run_id     bigint      NOT NULL,
    loaded_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE public.etl_objects IS 'Raw objects that are loaded.';
COMMENT ON COLUMN public.etl_objects.run_id IS 'The run that loaded it (etl_runs).';
COMMENT ON COLUMN public.etl_objects.etag IS
    'The object''s version when it was loaded: an object that was replaced since is read again.';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.etl_objects TO clickstream_loader;
GRANT SELECT ON public.etl_objects TO clickstream_reader;
