-- Objects that could be read but not loaded, because the database failed on them or took too long, are set aside: they
-- are tried again alone, and more and more rarely.
ALTER TABLE public.etl_object_failures ADD COLUMN etag text;

CREATE INDEX etl_object_failures_set_aside_idx
    ON public.etl_object_failures (last_failed_at, object_key) WHERE etag IS NOT NULL;

COMMENT ON TABLE public.etl_object_failures IS
    'Raw objects that could not be read, or not be loaded; a row goes once its object is loaded.';
COMMENT ON COLUMN public.etl_object_failures.etag IS
    'The version that is set aside because it could not be loaded; NULL where the object could not be read.';
