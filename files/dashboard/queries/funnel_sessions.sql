-- The funnel by session: sessions that began in the period.
-- A step counts once the step before was reached, at the same time or later. With a category or brand, views and carts
-- are those of its products; checkouts are any. Split by category or brand, a session counts with each that it
-- has to do with.
-- Parameters: the filters' six; $7 what to split by: '' (not at all), 'login_state', 'category' or 'brand'.
-- Columns: value (of what is split by; '' is none or unknown), step (1 to 4), event_name, reached, share (of the first
-- step's, 0 to 1), drop_off (share of the step before that did not get here; NULL for the first), median_seconds (from
-- the step before; NULL for the first). Four rows per value, values with most views first; none where nothing was viewed.
WITH params AS NOT MATERIALIZED (
    SELECT filters.*, $7::text AS split FROM filters
),
counted AS (
    SELECT
        CASE params.split
            WHEN 'login_state' THEN daily.login_state
            WHEN 'category' THEN daily.category
            WHEN 'brand' THEN daily.brand
            ELSE ''
        END AS value,
        sum(daily.funnel_views)::bigint AS views, sum(daily.funnel_carts)::bigint AS carts,
        sum(daily.funnel_checkouts)::bigint AS checkouts, sum(daily.funnel_purchases)::bigint AS purchases
    FROM public.daily_sessions AS daily
    CROSS JOIN params
    WHERE daily.day BETWEEN params.first_day AND params.last_day
      AND params.login_state IN ('', daily.login_state)
      AND CASE WHEN params.split = 'category' AND params.category = '' THEN daily.category <> ''
          ELSE daily.category = params.category END
      AND CASE WHEN params.split = 'brand' AND params.brand = '' THEN daily.brand <> ''
          ELSE daily.brand = params.brand END
    GROUP BY 1
    HAVING sum(daily.funnel_views) > 0
),
timed AS (
    SELECT
        CASE params.split
            WHEN 'login_state' THEN session.login_state
            WHEN 'category' THEN session.category
            WHEN 'brand' THEN session.brand
            ELSE ''
        END AS value,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', cart_at - view_at)) AS to_cart,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', checkout_at - cart_at))
            AS to_checkout,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', purchase_at - checkout_at))
            AS to_purchase
    FROM public.sessions AS session
    CROSS JOIN params
    WHERE session.started_at >= params.starts AND session.started_at < params.ends
      AND session.cart_at IS NOT NULL
      AND params.login_state IN ('', session.login_state)
      AND CASE WHEN params.split = 'category' AND params.category = '' THEN session.category <> ''
          ELSE session.category = params.category END
      AND CASE WHEN params.split = 'brand' AND params.brand = '' THEN session.brand <> ''
          ELSE session.brand = params.brand END
    GROUP BY 1
)
SELECT value, step, event_name, reached, share, drop_off, median_seconds
FROM counted
LEFT JOIN timed USING (value)
CROSS JOIN LATERAL (
    VALUES
        (1, 'product_view', views, views, NULL, NULL),
        (2, 'add_to_cart_click', carts, views, views, to_cart),
        (3, 'checkout_start', checkouts, views, carts, to_checkout),
        (4, 'checkout_complete', purchases, views, checkouts, to_purchase)
) AS named (step, event_name, reached, first, before, median_seconds)
CROSS JOIN LATERAL (
    SELECT reached::double precision / nullif(first, 0), 1 - reached::double precision / nullif(before, 0)
) AS rated (share, drop_off)
ORDER BY views DESC, value, step
