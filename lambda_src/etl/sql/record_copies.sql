-- Events of which several raw objects hold a copy: within the chunk (the two arrays), and in the chunk and before it.
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
    OFFSET 0 -- one look into the index per event
) AS stored
WHERE stored.source_object <> staged.source_object
ON CONFLICT DO NOTHING
