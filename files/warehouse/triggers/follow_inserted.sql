-- Inserted events are added to the model.
CREATE OR REPLACE TRIGGER follow_inserted
    AFTER INSERT ON public.clickstream_events
    REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('1');
