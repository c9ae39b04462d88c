-- Looks up facts of products again in the events: of each product (`ids`) what the newest event says that knows just these
-- fields of it (`fields`, as product_facts.known has them), or the oldest. The arrays have the same length.
CREATE OR REPLACE FUNCTION public.find_products(ids text[], fields smallint[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.product_facts
    SELECT
        id, known, public.label(context_product_name), public.label(public.or_other(context_product_category, folded & 4)),
        public.label(public.or_other(context_product_brand, folded & 8)),
        context_product_price, context_product_discount_price, left(context_product_url_path, 200),
        event_timestamp, event_id
    FROM unnest(ids, fields) AS sought (id, known)
    CROSS JOIN LATERAL (
        (
            SELECT *
            FROM public.clickstream_events
            WHERE known < 128
              AND public.label(context_product_id) = id AND context_product_id <> '' AND NOT is_bot AND flood IS NULL
              AND public.known_fields(
                  context_product_name, context_product_category, context_product_brand, context_product_price,
                  context_product_discount_price, context_product_url_path, identity_verified
              ) = known
              AND coalesce(folded & 2, 0) = 0
            ORDER BY event_timestamp DESC, event_id DESC
            LIMIT 1
        )
        UNION ALL
        (
            SELECT *
            FROM public.clickstream_events
            WHERE known >= 128
              AND public.label(context_product_id) = id AND context_product_id <> '' AND NOT is_bot AND flood IS NULL
              AND public.known_fields(
                  context_product_name, context_product_category, context_product_brand, context_product_price,
                  context_product_discount_price, context_product_url_path, identity_verified
              ) = known - 128
              AND coalesce(folded & 2, 0) = 0
            ORDER BY event_timestamp, event_id
            LIMIT 1
        )
    ) AS found
    ON CONFLICT DO NOTHING
$$;

REVOKE ALL ON FUNCTION public.find_products FROM PUBLIC;
