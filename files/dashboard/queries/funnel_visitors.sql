-- The funnel by visitor: over all sessions of a visitor that began in the period, whatever the products. (With a category
-- or brand, or split by them: funnel_visitors_of_products.sql.)
-- A step counts once the step before was reached, at the same time or later. The model knows which view led to which
-- step (funnel_events), so that those who only looked are counted and nothing else.
-- Parameters: the period's six, of which category and brand are ''; $7 what to split by: '' (not at all) or 'login_state'.
-- Columns: value (of what is split by; '' is none or unknown), step (1 to 4), event_name, reached, share (of the first
-- step's, 0 to 1), drop_off (share of the step before that did not get here; NULL for the first), median_seconds (from
-- the step before; NULL for the first). Four rows per value, values with most views first; none where nothing was viewed.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends, $7::text AS split,
        $4 = '' AND $7 = '' AS of_any_state
),
viewer AS (
    SELECT CASE asked.split WHEN 'login_state' THEN session.login_state ELSE '' END AS value, count(*) AS views
    FROM public.sessions AS session
    CROSS JOIN asked
    WHERE session.category = '' AND session.brand = ''
      AND session.started_at >= asked.starts AND session.started_at < asked.ends
      AND session.view_at IS NOT NULL
      AND coalesce(
          CASE WHEN asked.of_any_state THEN session.viewed_before_at ELSE session.viewed_before_in_state_at END,
          '-infinity'
      ) < asked.starts
      AND asked.login_state IN ('', session.login_state)
    GROUP BY 1
),
-- Each visitor's first event of a step that a view in the period led to.
event AS (
    SELECT
        event.visitor, event.step, event.at,
        CASE asked.split WHEN 'login_state' THEN event.login_state ELSE '' END AS value,
        CASE
            WHEN event.step > 2 THEN NULL
            -- The view that led to it may not be the first one of the period.
            WHEN entry.viewed_before_at >= asked.starts THEN (
                SELECT session.view_at
                FROM public.sessions AS session
                WHERE session.visitor = event.visitor
                  AND session.category = '' AND session.brand = ''
                  AND session.started_at >= asked.starts
                  AND session.view_at IS NOT NULL
                  AND (asked.of_any_state OR session.login_state = event.login_state)
                ORDER BY session.started_at
                LIMIT 1
            )
            ELSE entry.view_at
        END AS view_at
    FROM public.funnel_events AS event
    CROSS JOIN asked
    CROSS JOIN LATERAL (
        SELECT
            CASE WHEN asked.of_any_state THEN event.entered_at ELSE event.entered_in_state_at END AS entered_at,
            CASE WHEN asked.of_any_state THEN event.entered_before_at ELSE event.entered_before_in_state_at END
                AS entered_before_at,
            CASE WHEN asked.of_any_state THEN event.view_at ELSE event.view_in_state_at END AS view_at,
            CASE WHEN asked.of_any_state THEN event.viewed_before_at ELSE event.viewed_before_in_state_at END
                AS viewed_before_at
    ) AS entry
    WHERE event.step IN (2, 3, 4)
      AND event.started_at >= asked.starts AND event.started_at < asked.ends
      AND entry.entered_at >= asked.starts
      AND coalesce(entry.entered_before_at, '-infinity') < asked.starts
      AND asked.login_state IN ('', event.login_state)
),
-- A row per visitor who got to the cart.
buyer AS (
    SELECT
        value,
        min(view_at) AS view_at,
        min(at) FILTER (WHERE step = 2) AS cart_at,
        min(at) FILTER (WHERE step = 3) AS checkout_at,
        min(at) FILTER (WHERE step = 4) AS purchase_at
    FROM event
    GROUP BY visitor, value
),
reached AS (
    SELECT
        value, count(cart_at) AS carts, count(checkout_at) AS checkouts, count(purchase_at) AS purchases,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', cart_at - view_at)) AS to_cart,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', checkout_at - cart_at)) AS to_checkout,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY date_part('epoch', purchase_at - checkout_at)) AS to_purchase
    FROM buyer
    GROUP BY value
),
counted AS (
    SELECT
        value, views, coalesce(carts, 0) AS carts, coalesce(checkouts, 0) AS checkouts,
        coalesce(purchases, 0) AS purchases, to_cart, to_checkout, to_purchase
    FROM viewer
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
