-- What happened to products, categories or brands. A product's name, category, brand and prices are the newest known;
-- category and brand filters go by these. Purchases and revenue with a login state: of the sessions that had it. Revenue:
-- of the items of orders in the platform's currency whose price is known.
-- Parameters: the filters' six; $7 'product', 'category' or 'brand'.
-- Columns: key (the product's id, the category, the brand), name, category, brand (of a product; else ''), products
-- (how many), views, carts, purchases, revenue, view_to_cart (carts / views), cart_to_buy (purchases / carts), price,
-- discount_price, discount (1 - discount_price / price): of categories and brands the mean of their products; currency.
-- Most views first: at most 1,000, because anybody can invent some.
WITH params AS NOT MATERIALIZED (
    SELECT filters.*, $7::text AS level, settings.currency
    FROM filters
    CROSS JOIN public.model_settings AS settings
),
counted AS (
    SELECT daily.product_id, sum(daily.views) AS views, sum(daily.carts) AS carts, sum(daily.purchases) AS purchases
    FROM public.daily_products AS daily
    CROSS JOIN params
    WHERE daily.day BETWEEN params.first_day AND params.last_day
      AND params.login_state IN ('', daily.login_state)
    GROUP BY daily.product_id
),
sold AS (
    SELECT item.product_id, sum(item.amount) AS revenue
    FROM public.order_items AS item
    CROSS JOIN params
    WHERE item.at >= params.starts AND item.at < params.ends
      AND params.login_state IN ('', item.login_state) AND item.currency IN ('', params.currency)
    GROUP BY item.product_id
),
named AS (
    SELECT
        counted.*, sold.revenue,
        coalesce(nullif(product.name, ''), counted.product_id) AS name,
        coalesce(product.category, '') AS category, coalesce(product.brand, '') AS brand,
        product.price, product.discount_price
    FROM counted
    LEFT JOIN sold USING (product_id)
    LEFT JOIN public.products AS product USING (product_id)
),
grouped AS (
    SELECT
        CASE params.level WHEN 'product' THEN product_id WHEN 'category' THEN named.category ELSE named.brand END AS key,
        CASE params.level WHEN 'product' THEN named.name END AS name,
        CASE params.level WHEN 'product' THEN named.category ELSE '' END AS category,
        CASE params.level WHEN 'product' THEN named.brand ELSE '' END AS brand,
        count(*) AS products,
        sum(views)::bigint AS views, sum(carts)::bigint AS carts, sum(purchases)::bigint AS purchases,
        coalesce(sum(revenue), 0)::double precision AS revenue,
        avg(price)::double precision AS price,
        avg(discount_price)::double precision AS discount_price,
        avg(1 - discount_price / nullif(price, 0))::double precision AS discount
    FROM named
    CROSS JOIN params
    WHERE params.category IN ('', named.category) AND params.brand IN ('', named.brand)
    GROUP BY 1, 2, 3, 4
)
SELECT
    key, coalesce(name, key) AS name, grouped.category, grouped.brand, products, views, carts, purchases, revenue,
    carts::double precision / nullif(views, 0) AS view_to_cart,
    purchases::double precision / nullif(carts, 0) AS cart_to_buy,
    price, discount_price, discount, params.currency
FROM grouped
CROSS JOIN params
ORDER BY views DESC, carts DESC, purchases DESC, key
LIMIT 1000
