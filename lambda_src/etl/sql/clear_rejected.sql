-- Whenever an object is read, its rejected events are all replaced.
DELETE FROM public.rejected_events
WHERE object_key = ANY (%(keys)s)
