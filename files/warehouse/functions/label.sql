-- A text as a label: '' for NULL, and at most 200 characters, because an index entry holds 2,700 bytes.
-- An index of clickstream_events stores its results: whoever changes this function reindexes in a migration.
CREATE OR REPLACE FUNCTION public.label(text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN left(coalesce($1, ''), 200);

REVOKE ALL ON FUNCTION public.label FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.label TO clickstream_loader;
