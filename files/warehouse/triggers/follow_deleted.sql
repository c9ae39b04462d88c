-- Deleted events are removed from the model.
CREATE OR REPLACE TRIGGER follow_deleted
    AFTER DELETE ON public.clickstream_events
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('-1');
