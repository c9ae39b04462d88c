-- The index that 0019 replaces. By itself: a loader that has begun to read goes ahead of a lock that is waited for, and
-- would wait in a circle with one that 0019 holds already.
ALTER TABLE public.clickstream_events DROP CONSTRAINT clickstream_events_pkey;
