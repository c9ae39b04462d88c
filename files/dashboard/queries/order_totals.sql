-- Orders of a period, and what they brought, in the platform's currency: orders in another count, but are not summed. With a
-- category or brand: the orders with such an item, and of these only such items. Split by category or brand, an order counts
-- with each that it has.
-- Parameters: the filters' six; $7 what to split by: '' (not at all), 'login_state', 'category' or 'brand'.
-- Columns: value (of what is split by; '' is none or unknown), orders, units, revenue, average_order_value (of the orders
-- whose value is known; NULL without one), currency. Most orders first; not split: one row.
WITH params AS NOT MATERIALIZED (
    SELECT
        filters.*, $7::text AS split, settings.currency,
        filters.category <> '' OR filters.brand <> '' OR $7 IN ('category', 'brand') AS by_item
    FROM filters
    CROSS JOIN public.model_settings AS settings
),
sold AS (
    SELECT made.login_state, '' AS category, '' AS brand, made.currency, made.units, made.total AS amount,
        made.visitor, made.at, made.order_id
    FROM public.orders AS made
    CROSS JOIN params
    WHERE NOT params.by_item AND made.at >= params.starts AND made.at < params.ends
    UNION ALL
    SELECT item.login_state, item.category, item.brand, item.currency, item.quantity, item.amount,
        item.visitor, item.at, item.order_id
    FROM public.order_items AS item
    CROSS JOIN params
    WHERE params.by_item AND item.at >= params.starts AND item.at < params.ends
),
by_order AS (
    SELECT
        CASE params.split
            WHEN 'login_state' THEN sold.login_state
            WHEN 'category' THEN sold.category
            WHEN 'brand' THEN sold.brand
            ELSE ''
        END AS value,
        sum(sold.units) AS units,
        sum(sold.amount) FILTER (WHERE sold.currency IN ('', params.currency)) AS amount
    FROM sold
    CROSS JOIN params
    WHERE params.login_state IN ('', sold.login_state)
      AND params.category IN ('', sold.category) AND params.brand IN ('', sold.brand)
      AND NOT (params.split = 'category' AND sold.category = '') AND NOT (params.split = 'brand' AND sold.brand = '')
    GROUP BY 1, sold.visitor, sold.at, sold.order_id
),
summed AS (
    SELECT value, count(*) AS orders, sum(units)::bigint AS units, sum(amount) AS revenue, count(amount) AS valued
    FROM by_order
    GROUP BY value
    UNION ALL
    SELECT '', 0, 0, NULL, 0 FROM params WHERE split = '' AND NOT EXISTS (SELECT FROM by_order)
)
SELECT
    value, orders, units, coalesce(revenue, 0)::double precision AS revenue,
    (revenue / nullif(valued, 0))::double precision AS average_order_value, params.currency
FROM summed
CROSS JOIN params
ORDER BY orders DESC, value
