-- The funnel by visitor: over all sessions of a visitor that began in the period.
-- A step counts once the step before was reached, at the same time or later. With a category or brand, views and carts
-- are those of its products; checkouts are any. Split by category or brand, a visitor counts with each that it
-- has to do with.
-- Parameters: the filters' six; $7 what to split by: '' (not at all), 'login_state', 'category' or 'brand'.
-- Columns: value (of what is split by; '' is none or unknown), step (1 to 4), event_name, reached, share (of the first
-- step's, 0 to 1), drop_off (share of the step before that did not get here; NULL for the first), median_seconds (from
-- the step before; NULL for the first). Four rows per value, values with most views first; none where nothing was viewed.
WITH params AS NOT MATERIALIZED (
    SELECT filters.*, $7::text AS split, filters.login_state <> '' OR $7 = 'login_state' AS in_state
    FROM filters
),
-- Each visitor's first session of the period with a view.
viewed AS (
    SELECT
        CASE params.split
            WHEN 'login_state' THEN session.login_state
            WHEN 'category' THEN session.category
            WHEN 'brand' THEN session.brand
            ELSE ''
        END AS value,
        count(*) AS views
    FROM public.sessions AS session
    CROSS JOIN params
    WHERE session.started_at >= params.starts AND session.started_at < params.ends
      AND session.view_at IS NOT NULL
      AND coalesce(
          CASE WHEN params.in_state THEN session.viewed_before_in_state_at ELSE session.viewed_before_at END, '-infinity'
      ) < params.starts
      AND params.login_state IN ('', session.login_state)
      AND CASE WHEN params.split = 'category' AND params.category = '' THEN session.category > ''
          ELSE session.category = params.category END
      AND CASE WHEN params.split = 'brand' AND params.brand = '' THEN session.brand > ''
          ELSE session.brand = params.brand END
    GROUP BY 1
),
-- Each visitor's first cart of the period that a view in the period led to.
carted AS (
    SELECT
        CASE params.split
            WHEN 'login_state' THEN path.login_state
            WHEN 'category' THEN path.category
            WHEN 'brand' THEN path.brand
            ELSE ''
        END AS value,
        path.cart_at - CASE
            WHEN path.view_started_at < params.starts THEN (
                -- What began before the period went on in it.
                SELECT session.view_at
                FROM public.sessions AS session
                WHERE session.visitor = path.visitor
                  AND session.category = path.category AND session.brand = path.brand
                  AND session.started_at >= params.starts
                  AND session.view_at IS NOT NULL
                  AND (NOT params.in_state OR session.login_state = path.login_state)
                ORDER BY session.started_at
                LIMIT 1
            )
            ELSE path.view_at
        END AS to_cart,
        CASE WHEN path.checkout_started_at < params.ends THEN path.checkout_at - path.cart_at END AS to_checkout,
        CASE WHEN path.purchase_started_at < params.ends THEN path.purchase_at - path.checkout_at END AS to_purchase
    FROM public.funnel_paths AS path
    CROSS JOIN params
    WHERE path.started_at >= params.starts AND path.started_at < params.ends
      AND path.entered_at >= params.starts AND coalesce(path.entered_before_at, '-infinity') < params.starts
      AND path.in_state = params.in_state
      AND params.login_state IN ('', path.login_state)
      AND CASE WHEN params.split = 'category' AND params.category = '' THEN path.category > ''
          ELSE path.category = params.category END
      AND CASE WHEN params.split = 'brand' AND params.brand = '' THEN path.brand > ''
          ELSE path.brand = params.brand END
),
reached AS (
    SELECT
        value, count(*) AS carts, count(to_checkout) AS checkouts, count(to_purchase) AS purchases,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', to_cart)) AS to_cart,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', to_checkout)) AS to_checkout,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', to_purchase)) AS to_purchase
    FROM carted
    GROUP BY value
),
counted AS (
    SELECT
        value, views, coalesce(carts, 0) AS carts, coalesce(checkouts, 0) AS checkouts,
        coalesce(purchases, 0) AS purchases, to_cart, to_checkout, to_purchase
    FROM viewed
    LEFT JOIN reached USING (value)
)
SELECT value, step, event_name, reached, share, drop_off, median_seconds
FROM counted
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
