-- Deleting events, by whoever, frees their ids.
CREATE OR REPLACE TRIGGER forget_event_ids
    AFTER DELETE ON public.clickstream_events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION public.forget_event_ids();
