-- The ledger: raw objects that are loaded, written in the transaction that loads them. Once runs no longer list
-- an hour by themselves it closes: one row in etl_closed_hours stands for its objects, and their rows go.
-- Keys compare by byte, as S3 lists them.
CREATE TABLE public.etl_objects (
    object_key text COLLATE "C" PRIMARY KEY,
    etag       text        NOT NULL,
    run_id     bigint      NOT NULL,
    loaded_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE public.etl_objects IS 'Raw objects that are loaded.';
COMMENT ON COLUMN public.etl_objects.run_id IS 'The run that loaded it (etl_runs).';
COMMENT ON COLUMN public.etl_objects.etag IS
    'The object''s version when it was loaded: an object that was replaced since is read again.';

CREATE TABLE public.etl_closed_hours (
    hour      text COLLATE "C" PRIMARY KEY,
    objects   bigint      NOT NULL,
    keys_hash numeric     NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE public.etl_closed_hours IS
    'Hours of which every object is loaded: a listing with the same count and hash need not be read.';
COMMENT ON COLUMN public.etl_closed_hours.hour IS 'The folder, without a closing slash.';
COMMENT ON COLUMN public.etl_closed_hours.keys_hash IS
    'Sum over the objects of the first 60 bits of md5(key, space, ETag): the same in any order.';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.etl_closed_hours TO clickstream_loader;
GRANT SELECT ON public.etl_closed_hours TO clickstream_reader;
GRANT SELECT, INSERT, UPDATE, DELETE ON public.etl_objects TO clickstream_loader;
GRANT SELECT ON public.etl_objects TO clickstream_reader;
