-- Inserts the ids that are new, in the order of event_id: so two loaders cannot deadlock, and the index is passed
-- through once.
INSERT INTO public.clickstream_event_ids (event_id, received_at)
SELECT event_id, received_at
FROM etl_ids
ORDER BY event_id
ON CONFLICT (event_id) DO NOTHING
