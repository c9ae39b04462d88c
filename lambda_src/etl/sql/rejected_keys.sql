-- Raw objects that hold a rejected event.
SELECT DISTINCT object_key
FROM public.rejected_events
WHERE object_key > %(after)s
ORDER BY object_key
