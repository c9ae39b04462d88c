-- What looks wrong in what trackers send: orders of the period in another currency than the platform's, which are not summed,
-- and products with a discount above 95 %, which may be a percentage that was sent as a price. Of the filters only the dates
-- count.
-- Parameters: the filters' six.
-- Columns: position (1 = currency, 2 = discount), label, found (how many), example (a currency, a product id). Only what was
-- found.
WITH foreign_order AS (
    SELECT made.currency
    FROM public.orders AS made
    CROSS JOIN filters
    CROSS JOIN public.model_settings AS settings
    WHERE made.at >= filters.starts AND made.at < filters.ends AND made.currency NOT IN ('', settings.currency)
)
SELECT 1 AS position, 'Orders in another currency' AS label, count(*) AS found, min(currency) AS example
FROM foreign_order
HAVING count(*) > 0
UNION ALL
SELECT 2, 'Products with a discount above 95 %', count(*), min(product_id)
FROM public.products
WHERE discount_price < 0.05 * price
HAVING count(*) > 0
ORDER BY position
