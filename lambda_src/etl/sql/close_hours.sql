-- Closes the hours before the boundary: one row per hour instead of one per object. An hour that is closed already
-- keeps the row that counts more objects, because only a part of the hour may have been loaded by prefix since.
-- Objects of refused events leave the ledger: they are loaded only by prefix, and then all of them are read.
WITH closed AS (
    DELETE FROM public.etl_objects
    WHERE object_key < %(boundary)s
       OR object_key LIKE 'rejected/%%'
    RETURNING object_key, etag
)
INSERT INTO public.etl_closed_hours AS present (hour, objects, keys_hash)
SELECT
    left(object_key, 20),
    count(*),
    sum(('x' || left(md5(object_key || ' ' || etag), 15))::bit(60)::bigint)
FROM closed
WHERE object_key LIKE 'events/____/__/__/__/%%'
GROUP BY 1
ON CONFLICT (hour) DO UPDATE
SET objects = excluded.objects, keys_hash = excluded.keys_hash, closed_at = excluded.closed_at
WHERE excluded.objects >= present.objects
