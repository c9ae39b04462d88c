-- How many events of the last hour the dashboard can see: what a machine reads off the page to know that it works.
-- Parameters: none.
-- Columns: events. One row.
SELECT count(*) AS events FROM public.clickstream_events WHERE event_timestamp > now() - interval '1 hour'
