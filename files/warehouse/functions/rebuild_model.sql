-- Counts the model anew from all events, one weekly partition at a time. Only the owner may call it.
CREATE OR REPLACE FUNCTION public.rebuild_model() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    partition regclass;
BEGIN
    LOCK TABLE public.clickstream_events IN SHARE ROW EXCLUSIVE MODE;
    PERFORM public.find_floods();
    TRUNCATE public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products,
        public.sessions, public.funnel_events, public.funnel_paths, public.orders, public.order_items, public.daily_sessions,
        public.repeated_views, public.hourly_pages, public.product_facts;
    -- The trigger sees the rows through this table.
    CREATE TEMPORARY TABLE model_feed (LIKE public.clickstream_events) ON COMMIT DROP;
    CREATE TRIGGER follow_inserted AFTER INSERT ON pg_temp.model_feed
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('1');
    FOR partition IN
        SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.clickstream_events'::regclass
        ORDER BY inhrelid::regclass::text
    LOOP
        EXECUTE format('INSERT INTO pg_temp.model_feed SELECT * FROM %s', partition);
        TRUNCATE pg_temp.model_feed;
    END LOOP;
    DROP TABLE pg_temp.model_feed;
    PERFORM public.merge_products((SELECT array_agg(id) FROM public.catalogue));
END
$$;

REVOKE ALL ON FUNCTION public.rebuild_model FROM PUBLIC;
