-- Empties the model when the events are truncated.
CREATE OR REPLACE FUNCTION public.clear_model() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    TRUNCATE public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products,
        public.sessions, public.funnel_events, public.funnel_paths, public.orders, public.order_items, public.daily_sessions,
        public.repeated_views, public.hourly_pages, public.product_facts,
        public.flood_days;
    PERFORM public.merge_products((SELECT array_agg(id) FROM public.catalogue));
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION public.clear_model FROM PUBLIC;
