-- Records events that several raw objects hold: objects of this chunk (the two arrays), or one of this chunk and one
-- that was loaded before.
INSERT INTO public.clickstream_event_copies (event_id, source_object)
SELECT event_id, source_object
FROM unnest(%(event_ids)s::uuid[], %(source_objects)s::text[]) AS copy (event_id, source_object)
UNION
SELECT staged.event_id, unnest(ARRAY[staged.source_object, stored.source_object])
FROM etl_staging AS staged
JOIN public.clickstream_event_ids AS known USING (event_id)
CROSS JOIN LATERAL (
    SELECT source_object
    FROM public.clickstream_events AS stored
    WHERE stored.received_at = known.received_at
      AND stored.event_id = known.event_id
    OFFSET 0 -- keeps the subquery apart: one index lookup per event
) AS stored
WHERE stored.source_object <> staged.source_object
ON CONFLICT DO NOTHING
