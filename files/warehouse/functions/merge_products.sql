-- Makes these products what the catalogue says, and where it says nothing, what their facts say: of each field the newest of
-- a verified event, else the newest. Writes only what differs.
CREATE OR REPLACE FUNCTION public.merge_products(ids text[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    DELETE FROM public.products AS product
    WHERE product_id = ANY (ids)
      AND NOT EXISTS (SELECT FROM public.product_facts AS fact WHERE fact.product_id = product.product_id)
      AND NOT EXISTS (SELECT FROM public.catalogue AS own WHERE own.id = product.product_id);

    INSERT INTO public.products AS present
    SELECT
        id, coalesce(own.name, names[1], ''), coalesce(own.category, categories[1], ''),
        coalesce(own.brand, brands[1], ''), coalesce(own.price, prices[1]),
        CASE
            WHEN own.price IS NOT NULL THEN own.discount_price
            WHEN discounts[1] > 0 AND discounts[1] < coalesce(prices[1], 'infinity') THEN discounts[1]
        END,
        url_paths[1]
    FROM (SELECT * FROM public.catalogue WHERE id = ANY (ids)) AS own
    FULL JOIN (
        SELECT
            product_id AS id,
            array_agg(name ORDER BY known & 64 DESC, event_timestamp DESC, event_id DESC)
                FILTER (WHERE known & 1 <> 0) AS names,
            array_agg(category ORDER BY known & 64 DESC, event_timestamp DESC, event_id DESC)
                FILTER (WHERE known & 2 <> 0) AS categories,
            array_agg(brand ORDER BY known & 64 DESC, event_timestamp DESC, event_id DESC)
                FILTER (WHERE known & 4 <> 0) AS brands,
            array_agg(price ORDER BY known & 64 DESC, event_timestamp DESC, event_id DESC)
                FILTER (WHERE known & 8 <> 0) AS prices,
            array_agg(discount_price ORDER BY known & 64 DESC, event_timestamp DESC, event_id DESC)
                FILTER (WHERE known & 16 <> 0) AS discounts,
            array_agg(url_path ORDER BY known & 64 DESC, event_timestamp DESC, event_id DESC)
                FILTER (WHERE known & 32 <> 0) AS url_paths
        FROM public.product_facts
        WHERE product_id = ANY (ids) AND known < 128
        GROUP BY product_id
    ) AS fact USING (id)
    ON CONFLICT (product_id) DO UPDATE SET
        name = excluded.name, category = excluded.category, brand = excluded.brand, price = excluded.price,
        discount_price = excluded.discount_price, url_path = excluded.url_path
    WHERE present IS DISTINCT FROM excluded
$$;

REVOKE ALL ON FUNCTION public.merge_products FROM PUBLIC;
