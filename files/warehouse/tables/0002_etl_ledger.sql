-- What the ETL has done: its runs, the raw objects that it loaded, and those that it could not read.
-- Keys of objects compare by byte (COLLATE "C"), as S3 lists them.

-- One row per run. Its counts grow in the transactions that load, so they are right for a run that was killed too.
CREATE TABLE public.etl_runs (
    run_id           bigint      GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    started_at       timestamptz NOT NULL DEFAULT now(),
    finished_at      timestamptz,
    status           text        NOT NULL DEFAULT 'running'
        CHECK (status IN ('running', 'complete', 'incomplete', 'failed')),
    payload          jsonb       NOT NULL DEFAULT '{}',
    chunks           bigint      NOT NULL DEFAULT 0,
    objects_listed   bigint      NOT NULL DEFAULT 0,
    objects_skipped  bigint      NOT NULL DEFAULT 0,
    objects_read     bigint      NOT NULL DEFAULT 0,
    objects_failed   bigint      NOT NULL DEFAULT 0,
    objects_left     bigint      NOT NULL DEFAULT 0,
    events_loaded    bigint      NOT NULL DEFAULT 0,
    events_duplicate bigint      NOT NULL DEFAULT 0,
    events_rejected  bigint      NOT NULL DEFAULT 0
);

-- The ledger: a row is written in the transaction that loads the object.
CREATE TABLE public.etl_objects (
    object_key text COLLATE "C" PRIMARY KEY,
    etag       text        NOT NULL,
    run_id     bigint      NOT NULL,
    loaded_at  timestamptz NOT NULL DEFAULT now()
);

-- An hour is closed once runs no longer list it by themselves: one row here stands for its objects, and their rows in
-- etl_objects go, so that the ledger stays small.
CREATE TABLE public.etl_closed_hours (
    hour      text COLLATE "C" PRIMARY KEY,
    objects   bigint      NOT NULL,
    keys_hash numeric     NOT NULL,
    closed_at timestamptz NOT NULL DEFAULT now()
);

-- Each run tries these objects again; they hold up no other object.
CREATE TABLE public.etl_object_failures (
    object_key      text COLLATE "C"      PRIMARY KEY,
    attempts        integer     NOT NULL DEFAULT 1,
    error           text        NOT NULL,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    last_failed_at  timestamptz NOT NULL DEFAULT now()
);

-- Where the listing of raw objects begins. Every object before it is loaded, or is in etl_object_failures.
CREATE TABLE public.etl_watermark (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    listed_from text COLLATE "C" NOT NULL,
    moved_at    timestamptz NOT NULL DEFAULT now()
);

INSERT INTO public.etl_watermark (listed_from) VALUES ('');

COMMENT ON TABLE public.etl_runs IS
    'Runs of the ETL. A run that stays ''running'' was killed; what it counted is committed.';
COMMENT ON COLUMN public.etl_runs.chunks IS
    'Chunks committed: tells a loader that lost its connection in a COMMIT whether it took place.';
COMMENT ON TABLE public.etl_objects IS 'Raw objects that are loaded.';
COMMENT ON COLUMN public.etl_objects.run_id IS 'The run that loaded it (etl_runs).';
COMMENT ON COLUMN public.etl_objects.etag IS
    'The object''s version when it was loaded: an object that was replaced since is read again.';
COMMENT ON TABLE public.etl_closed_hours IS
    'Hours of which every object is loaded: a listing with the same count and hash need not be read.';
COMMENT ON COLUMN public.etl_closed_hours.hour IS 'The folder, without a closing slash.';
COMMENT ON COLUMN public.etl_closed_hours.keys_hash IS
    'Sum over the objects of the first 60 bits of md5(key, space, ETag): the same in any order.';
COMMENT ON TABLE public.etl_object_failures IS
    'Raw objects that could not be read; a row goes once its object is loaded.';
COMMENT ON TABLE public.etl_watermark IS
    'One row: the folder of the first hour that runs still list.';

GRANT SELECT, INSERT, UPDATE ON public.etl_runs TO clickstream_loader;
GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.etl_objects, public.etl_closed_hours, public.etl_object_failures
    TO clickstream_loader;
GRANT SELECT, UPDATE ON public.etl_watermark TO clickstream_loader;
GRANT SELECT
    ON public.etl_runs, public.etl_objects, public.etl_closed_hours, public.etl_object_failures, public.etl_watermark
    TO clickstream_reader;
