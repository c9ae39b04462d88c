-- The events of the chunk that have a row already.
SELECT known.event_id::text
FROM etl_ids AS staged
JOIN public.clickstream_event_ids AS known USING (event_id)
CROSS JOIN LATERAL (
    SELECT
    FROM public.clickstream_events AS stored
    WHERE stored.received_at = known.received_at
      AND stored.event_id = known.event_id
    OFFSET 0 -- keeps the subquery apart: one index lookup per event
) AS stored
