-- Whether an event of this name says that a page is seen.
CREATE OR REPLACE FUNCTION public.is_view(event_name text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    event_name IN ('page_view', 'home_view', 'category_view', 'product_view');

REVOKE ALL ON FUNCTION public.is_view FROM PUBLIC;
