-- Looks up these products again in the events: what the newest event that names each of them says.
CREATE OR REPLACE FUNCTION public.find_products(ids text[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.products
    SELECT newest.*
    FROM unnest(ids) AS id
    CROSS JOIN LATERAL (
        SELECT
            id, public.label(context_product_name), public.label(public.or_other(context_product_category, folded & 4)),
            public.label(public.or_other(context_product_brand, folded & 8)),
            context_product_price, context_product_discount_price, left(context_product_url_path, 200),
            event_timestamp, event_id
        FROM public.clickstream_events
        WHERE public.label(context_product_id) = id AND context_product_name IS NOT NULL AND NOT is_bot
          AND coalesce(folded & 2, 0) = 0
        ORDER BY event_timestamp DESC, event_id DESC
        LIMIT 1
    ) AS newest
    ON CONFLICT DO NOTHING
$$;

REVOKE ALL ON FUNCTION public.find_products FROM PUBLIC;
