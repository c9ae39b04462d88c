-- Rejected events are replaced as a whole whenever their object is read.
DELETE FROM public.rejected_events
WHERE object_key = ANY (%(keys)s)
