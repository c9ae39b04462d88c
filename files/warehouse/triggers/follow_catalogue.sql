-- Products that change in the catalogue change in the model.
CREATE OR REPLACE TRIGGER follow_catalogue
    AFTER INSERT OR UPDATE OR DELETE ON public.catalogue
    FOR EACH ROW EXECUTE FUNCTION public.follow_catalogue();
