-- One row per run of the ETL. Its counts grow in the transactions that load, so they are right
-- for a run that was killed as well.
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

COMMENT ON TABLE public.etl_runs IS
    'Runs of the ETL. A run that stays ''running'' was killed; what it counted is committed.';
COMMENT ON COLUMN public.etl_runs.chunks IS
    'Chunks committed: tells a loader that lost its connection in a COMMIT whether it took place.';

GRANT SELECT, INSERT, UPDATE ON public.etl_runs TO clickstream_loader;
GRANT SELECT ON public.etl_runs TO clickstream_reader;
