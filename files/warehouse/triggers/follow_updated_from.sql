-- What updated events were is removed from the model. Triggers fire in the order of their names: this one before
-- follow_updated_to, which adds what they are now.
CREATE OR REPLACE TRIGGER follow_updated_from
    AFTER UPDATE ON public.clickstream_events
    REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('-1');
