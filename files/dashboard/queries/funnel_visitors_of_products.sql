-- The funnel by visitor, of products: over all sessions of a visitor that began in the period. (funnel_visitors.sql gives
-- the same where no category or brand is asked for, and faster.)
-- A step counts once the step before was reached, at the same time or later. With a category or brand, views and carts
-- are those of its products; checkouts are any. Split by category or brand, a visitor counts with each that it
-- has to do with.
-- Parameters: the period's six; $7 what to split by: '' (not at all), 'login_state', 'category' or 'brand'.
-- Columns: value (of what is split by; '' is none or unknown), step (1 to 4), event_name, reached, share (of the first
-- step's, 0 to 1), drop_off (share of the step before that did not get here; NULL for the first), median_seconds (from
-- the step before; NULL for the first). Four rows per value, values with most views first; none where nothing was viewed.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends, $7::text AS split
),
-- Each visitor's first session of the period with a view.
viewed AS (
    SELECT
        session.visitor,
        CASE asked.split
            WHEN 'login_state' THEN session.login_state
            WHEN 'category' THEN session.category
            WHEN 'brand' THEN session.brand
            ELSE ''
        END AS value,
        session.view_at AS at
    FROM public.sessions AS session
    CROSS JOIN asked
    WHERE session.started_at >= asked.starts AND session.started_at < asked.ends
      AND session.view_at IS NOT NULL
      AND coalesce(
          CASE WHEN asked.login_state = '' AND asked.split <> 'login_state' THEN session.viewed_before_at
          ELSE session.viewed_before_in_state_at END, '-infinity'
      ) < asked.starts
      AND asked.login_state IN ('', session.login_state)
      AND CASE WHEN asked.split = 'category' AND asked.category = '' THEN session.category <> ''
          ELSE session.category = asked.category END
      AND CASE WHEN asked.split = 'brand' AND asked.brand = '' THEN session.brand <> ''
          ELSE session.brand = asked.brand END
),
-- Not materialized: the planner knows the table, and would know nothing of its copy.
event AS NOT MATERIALIZED (
    SELECT event.visitor, event.step, event.login_state, event.category, event.brand, event.at
    FROM public.funnel_events AS event
    CROSS JOIN asked
    WHERE event.started_at >= asked.starts AND event.started_at < asked.ends
      AND asked.login_state IN ('', event.login_state)
),
carted AS (
    SELECT viewed.visitor, viewed.value, min(cart.at) AS at, min(cart.at) - viewed.at AS after
    FROM viewed
    CROSS JOIN asked
    JOIN (
        SELECT
            event.visitor, event.at,
            CASE asked.split
                WHEN 'login_state' THEN event.login_state
                WHEN 'category' THEN event.category
                WHEN 'brand' THEN event.brand
                ELSE ''
            END AS value
        FROM event
        CROSS JOIN asked
        WHERE event.step = 2
          AND CASE WHEN asked.split = 'category' AND asked.category = '' THEN event.category <> ''
              ELSE asked.category IN ('', event.category) END
          AND CASE WHEN asked.split = 'brand' AND asked.brand = '' THEN event.brand <> ''
              ELSE asked.brand IN ('', event.brand) END
    ) AS cart
        ON cart.visitor = viewed.visitor AND cart.at >= viewed.at
        AND (asked.split = '' OR cart.value = viewed.value)
    GROUP BY viewed.visitor, viewed.value, viewed.at
),
checked_out AS (
    SELECT carted.visitor, carted.value, min(event.at) AS at, min(event.at) - carted.at AS after
    FROM carted
    CROSS JOIN asked
    JOIN event ON event.visitor = carted.visitor AND event.step = 3 AND event.at >= carted.at
    WHERE asked.split <> 'login_state' OR event.login_state = carted.value
    GROUP BY carted.visitor, carted.value, carted.at
),
purchased AS (
    SELECT checked_out.visitor, checked_out.value, min(event.at) AS at, min(event.at) - checked_out.at AS after
    FROM checked_out
    CROSS JOIN asked
    JOIN event ON event.visitor = checked_out.visitor AND event.step = 4 AND event.at >= checked_out.at
    WHERE asked.split <> 'login_state' OR event.login_state = checked_out.value
    GROUP BY checked_out.visitor, checked_out.value, checked_out.at
),
counted AS (
    SELECT viewer.value, views, coalesce(carts, 0) AS carts, to_cart, coalesce(checkouts, 0) AS checkouts, to_checkout,
        coalesce(purchases, 0) AS purchases, to_purchase
    FROM (SELECT value, count(*) AS views FROM viewed GROUP BY value) AS viewer
    LEFT JOIN (
        SELECT value, count(*) AS carts,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', after)) AS to_cart
        FROM carted GROUP BY value
    ) AS cart USING (value)
    LEFT JOIN (
        SELECT value, count(*) AS checkouts,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', after)) AS to_checkout
        FROM checked_out GROUP BY value
    ) AS checkout USING (value)
    LEFT JOIN (
        SELECT value, count(*) AS purchases,
            percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', after)) AS to_purchase
        FROM purchased GROUP BY value
    ) AS purchase USING (value)
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
