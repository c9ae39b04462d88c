-- The ids that are new. In the order of event_id, so that no two loaders can wait for each other in a circle, and so
-- that the index is walked once.
INSERT INTO public.clickstream_event_ids (event_id, received_at)
SELECT event_id, received_at
FROM etl_ids
ORDER BY event_id
ON CONFLICT (event_id) DO NOTHING
