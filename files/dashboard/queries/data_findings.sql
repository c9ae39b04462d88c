-- What looks wrong in what trackers send: orders of the period in another currency than the platform's, which are not summed;
-- products with a discount above 95 %, which may be a percentage that was sent as a price; and products of which an event
-- without a verified identity, that anybody can send, says last what the catalogue leaves open and verified events say
-- otherwise, or without those the first event. Of the filters only the dates count, and only for orders.
-- Parameters: the filters' six.
-- Columns: position (1 = currency, 2 = discount, 3 = changed), label, found (how many), example (a currency, a product id).
-- Only what was found.
WITH foreign_order AS (
    SELECT made.currency
    FROM public.orders AS made
    CROSS JOIN filters
    CROSS JOIN public.model_settings AS settings
    WHERE made.at >= filters.starts AND made.at < filters.ends AND made.currency NOT IN ('', settings.currency)
),
fact AS NOT MATERIALIZED (
    SELECT
        product_id, known, name, category, brand, price,
        CASE WHEN discount_price > 0 AND discount_price < coalesce(price, 'infinity') THEN discount_price END AS discount_price,
        event_timestamp, event_id
    FROM public.product_facts
),
differing AS (
    SELECT product_id
    FROM fact
    GROUP BY product_id
    HAVING min(name) FILTER (WHERE known & 1 <> 0) <> max(name) FILTER (WHERE known & 1 <> 0)
        OR min(category) FILTER (WHERE known & 2 <> 0) <> max(category) FILTER (WHERE known & 2 <> 0)
        OR min(brand) FILTER (WHERE known & 4 <> 0) <> max(brand) FILTER (WHERE known & 4 <> 0)
        OR min(price) <> max(price)
        OR min(coalesce(discount_price, 0)) FILTER (WHERE known & 16 <> 0)
            <> max(coalesce(discount_price, 0)) FILTER (WHERE known & 16 <> 0)
),
said AS MATERIALIZED (
    SELECT
        fact.product_id, own.field, own.value, known & 64 <> 0 AS verified, known >= 128 AS is_first, event_timestamp, event_id
    FROM fact
    JOIN differing USING (product_id)
    LEFT JOIN public.catalogue ON catalogue.id = fact.product_id
    CROSS JOIN LATERAL (
        VALUES
            (1, fact.name, catalogue.name IS NULL),
            (2, fact.category, catalogue.category IS NULL),
            (4, fact.brand, catalogue.brand IS NULL),
            (8, fact.price::text, catalogue.price IS NULL),
            (16, fact.discount_price::text, catalogue.price IS NULL)
    ) AS own (field, value, is_open)
    WHERE known & own.field <> 0 AND own.is_open
),
newest AS (
    SELECT DISTINCT ON (product_id, field) product_id, field, value, verified
    FROM said
    WHERE NOT is_first
    ORDER BY product_id, field, event_timestamp DESC, event_id DESC
),
trusted AS (
    SELECT DISTINCT ON (product_id, field) product_id, field, value
    FROM said
    WHERE verified OR is_first
    ORDER BY
        product_id, field, verified DESC, CASE WHEN verified THEN event_timestamp END DESC,
        CASE WHEN verified THEN event_id END DESC, event_timestamp, event_id
),
changed_product AS (
    SELECT DISTINCT product_id
    FROM newest
    JOIN trusted USING (product_id, field)
    WHERE NOT newest.verified AND newest.value IS DISTINCT FROM trusted.value
)
SELECT 1 AS position, 'Orders in another currency' AS label, count(*) AS found, min(currency) AS example
FROM foreign_order
HAVING count(*) > 0
UNION ALL
SELECT 2, 'Products with a discount above 95 %', count(*), min(product_id)
FROM public.products
WHERE discount_price < 0.05 * price
HAVING count(*) > 0
UNION ALL
SELECT 3, 'Products that an unverified event changed', count(*), min(product_id)
FROM changed_product
HAVING count(*) > 0
ORDER BY position
