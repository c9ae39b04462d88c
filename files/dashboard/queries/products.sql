-- What happened to products, categories or brands. A product's name, category, brand and prices are the newest known;
-- category and brand filters go by these. Purchases with a login state: of the sessions that had it.
-- Parameters: the period's six; $7 'product', 'category' or 'brand'.
-- Columns: key (the product's id, the category, the brand), name, category, brand (of a product; else ''), products
-- (how many), views, carts, purchases, view_to_cart (carts / views), cart_to_buy (purchases / carts), price,
-- discount_price, discount (1 - discount_price / price): of categories and brands the mean of their products. Most
-- views first.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends, $7::text AS level
),
counted AS (
    SELECT daily.product_id, sum(daily.views) AS views, sum(daily.carts) AS carts, sum(daily.purchases) AS purchases
    FROM public.daily_products AS daily
    CROSS JOIN asked
    WHERE daily.day BETWEEN asked.first_day AND asked.last_day
      AND asked.login_state IN ('', daily.login_state)
    GROUP BY daily.product_id
),
named AS (
    SELECT
        counted.*,
        coalesce(nullif(product.name, ''), counted.product_id) AS name,
        coalesce(product.category, '') AS category, coalesce(product.brand, '') AS brand,
        product.price, product.discount_price
    FROM counted
    LEFT JOIN public.products AS product USING (product_id)
),
grouped AS (
    SELECT
        CASE asked.level WHEN 'product' THEN product_id WHEN 'category' THEN named.category ELSE named.brand END AS key,
        CASE asked.level WHEN 'product' THEN named.name END AS name,
        CASE asked.level WHEN 'product' THEN named.category ELSE '' END AS category,
        CASE asked.level WHEN 'product' THEN named.brand ELSE '' END AS brand,
        count(*) AS products,
        sum(views)::bigint AS views, sum(carts)::bigint AS carts, sum(purchases)::bigint AS purchases,
        avg(price)::double precision AS price,
        avg(discount_price)::double precision AS discount_price,
        avg(1 - discount_price / nullif(price, 0))::double precision AS discount
    FROM named
    CROSS JOIN asked
    WHERE asked.category IN ('', named.category) AND asked.brand IN ('', named.brand)
    GROUP BY 1, 2, 3, 4
)
SELECT
    key, coalesce(name, key) AS name, category, brand, products, views, carts, purchases,
    carts::double precision / nullif(views, 0) AS view_to_cart,
    purchases::double precision / nullif(carts, 0) AS cart_to_buy,
    price, discount_price, discount
FROM grouped
ORDER BY views DESC, carts DESC, purchases DESC, key
