-- What updated events are is added to the model, after follow_updated_from has removed what they were.
CREATE OR REPLACE TRIGGER follow_updated_to
    AFTER UPDATE ON public.clickstream_events
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('1');
