-- Truncating the events empties the model.
CREATE OR REPLACE TRIGGER follow_truncated
    AFTER TRUNCATE ON public.clickstream_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.clear_model();
