-- Deletes rows whose object is reread and no longer holds the event: the event is rejected now, or the object was
-- replaced. Returns the objects that hold another copy of such an event; they must be read again.
WITH orphan AS (
    DELETE FROM public.clickstream_events AS stored
    USING unnest(%(reread)s::text[]) AS reread (source_object)
    WHERE stored.source_object = reread.source_object
      AND stored.source_object >= %(first)s
      AND stored.source_object <= %(last)s
      AND NOT EXISTS (
          SELECT
          FROM etl_staging AS staged
          WHERE staged.event_id = stored.event_id
            AND staged.source_object = stored.source_object
      )
    RETURNING stored.event_id, stored.source_object
)
SELECT DISTINCT copy.source_object
FROM public.clickstream_event_copies AS copy
JOIN orphan USING (event_id)
WHERE copy.source_object <> orphan.source_object
