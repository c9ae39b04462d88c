-- Raw objects that could not be read. Each run tries them again; they hold up no other object.
CREATE TABLE public.etl_object_failures (
    object_key      text COLLATE "C"      PRIMARY KEY,
    attempts        integer     NOT NULL DEFAULT 1,
    error           text        NOT NULL,
    first_failed_at timestamptz NOT NULL DEFAULT now(),
    last_failed_at  timestamptz NOT NULL DEFAULT now()
);

COMMENT ON TABLE public.etl_object_failures IS
    'Raw objects that could not be read; a row goes once its object is loaded.';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.etl_object_failures TO clickstream_loader;
GRANT SELECT ON public.etl_object_failures TO clickstream_reader;
