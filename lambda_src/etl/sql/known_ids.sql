-- Events of the chunk that have a row already.
SELECT known.event_id::text
FROM etl_ids AS staged
JOIN public.clickstream_event_ids AS known USING (event_id)
JOIN public.clickstream_events AS stored
    ON stored.event_id = known.event_id
    AND stored.received_at = known.received_at
