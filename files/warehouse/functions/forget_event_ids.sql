-- Frees the ids of deleted events, so that they can be loaded again. (A row that moves to another week is updated, not
-- deleted.)
CREATE OR REPLACE FUNCTION public.forget_event_ids() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.clickstream_event_ids AS id
    USING deleted
    WHERE id.event_id = deleted.event_id;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION public.forget_event_ids FROM PUBLIC;
