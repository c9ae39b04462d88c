-- Closes the hours before the boundary. An hour that was closed before keeps the row that stands for more objects:
-- what somebody loaded by name may be a part of it. Of refused events that were judged again nothing need be known:
-- they are asked for by name, and then all are read.
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
