-- Products are what events say again when the catalogue is truncated.
CREATE OR REPLACE TRIGGER follow_catalogue_truncated
    AFTER TRUNCATE ON public.catalogue
    FOR EACH STATEMENT EXECUTE FUNCTION public.follow_catalogue();
