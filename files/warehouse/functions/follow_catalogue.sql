-- Products follow the catalogue at once.
CREATE OR REPLACE FUNCTION public.follow_catalogue() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    -- Writers of the model take turns, as in follow_events().
    PERFORM pg_advisory_xact_lock(6022171);
    PERFORM public.merge_products(
        CASE TG_OP
            WHEN 'INSERT' THEN ARRAY[NEW.id]
            WHEN 'UPDATE' THEN ARRAY[OLD.id, NEW.id]
            WHEN 'DELETE' THEN ARRAY[OLD.id]
            ELSE (SELECT array_agg(product_id) FROM public.products)
        END
    );
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION public.follow_catalogue FROM PUBLIC;
