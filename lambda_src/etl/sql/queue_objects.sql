-- Objects with a copy of an event whose row was deleted: removed from the ledger and queued to be read again.
WITH unloaded AS (
    DELETE FROM public.etl_objects
    WHERE object_key = ANY (%(keys)s)
)
INSERT INTO public.etl_object_failures (object_key, attempts, error)
SELECT key, 0, 'to be read again: an earlier copy of one of its events is gone'
FROM unnest(%(keys)s::text[]) AS key
ON CONFLICT DO NOTHING
