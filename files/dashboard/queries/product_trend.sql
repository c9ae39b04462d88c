-- One product by day, the empty days included. Of the period's filters the login state counts. Future days are left
-- out.
-- Parameters: the filters' six; $7 product id.
-- Columns: bucket (the day, 'YYYY-MM-DD HH24:MI'), views, carts, purchases.
WITH counted AS (
    SELECT
        daily.day::timestamp AS bucket,
        sum(daily.views)::bigint AS views, sum(daily.carts)::bigint AS carts, sum(daily.purchases)::bigint AS purchases
    FROM public.daily_products AS daily
    CROSS JOIN filters
    WHERE daily.day BETWEEN filters.first_day AND filters.last_day
      AND daily.product_id = $7
      AND filters.login_state IN ('', daily.login_state)
    GROUP BY daily.day
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket,
    coalesce(views, 0) AS views, coalesce(carts, 0) AS carts, coalesce(purchases, 0) AS purchases
FROM (
    SELECT generate_series(
        filters.first_day::timestamp,
        least(filters.last_day::timestamp, now() AT TIME ZONE filters.time_zone),
        '1 day'
    ) AS bucket
    FROM filters
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
