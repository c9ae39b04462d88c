-- One product by day, the empty days included. Of the period's filters the login state counts. Future days are left
-- out.
-- Parameters: the period's six; $7 product id.
-- Columns: bucket (the day, 'YYYY-MM-DD HH24:MI'), views, carts, purchases.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends, $7::text AS product_id
),
counted AS (
    SELECT
        daily.day::timestamp AS bucket,
        sum(daily.views)::bigint AS views, sum(daily.carts)::bigint AS carts, sum(daily.purchases)::bigint AS purchases
    FROM public.daily_products AS daily
    CROSS JOIN asked
    WHERE daily.day BETWEEN asked.first_day AND asked.last_day
      AND daily.product_id = asked.product_id
      AND asked.login_state IN ('', daily.login_state)
    GROUP BY daily.day
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket,
    coalesce(views, 0) AS views, coalesce(carts, 0) AS carts, coalesce(purchases, 0) AS purchases
FROM (
    SELECT generate_series(
        asked.first_day::timestamp,
        least(asked.last_day::timestamp, now() AT TIME ZONE asked.time_zone),
        '1 day'
    ) AS bucket
    FROM asked
) AS every_bucket
FULL JOIN counted USING (bucket)
ORDER BY bucket
