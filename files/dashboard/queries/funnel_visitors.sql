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
    WHERE session.category = asked.category AND session.brand = asked.brand
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
event AS NOT MATERIALIZED (
    SELECT
        event.visitor, event.step, event.at, event.login_state, entry.*,
        CASE asked.split WHEN 'login_state' THEN event.login_state ELSE '' END AS value
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
    WHERE event.started_at >= asked.starts AND event.started_at < asked.ends
      AND entry.entered_at >= asked.starts
      AND coalesce(entry.entered_before_at, '-infinity') < asked.starts
      AND asked.login_state IN ('', event.login_state)
),
carted AS (
    SELECT event.visitor, event.value, event.at, event.at - coalesce(first.view_at, event.view_at) AS after
    FROM event
    CROSS JOIN asked
    -- Where the view that led to it was not the first one of the period.
    LEFT JOIN LATERAL (
        SELECT session.view_at
        FROM public.sessions AS session
        WHERE event.viewed_before_at >= asked.starts
          AND session.visitor = event.visitor AND session.category = asked.category AND session.brand = asked.brand
          AND session.started_at >= asked.starts
          AND session.view_at IS NOT NULL
          AND (asked.of_any_state OR session.login_state = event.login_state)
        ORDER BY session.started_at
        LIMIT 1
    ) AS first ON true
    WHERE event.step = 2
),
checked_out AS (
    SELECT event.visitor, event.value, event.at, event.at - carted.at AS after
    FROM event
    JOIN carted USING (visitor, value)
    WHERE event.step = 3
),
purchased AS (
    SELECT event.visitor, event.value, event.at, event.at - checked_out.at AS after
    FROM event
    JOIN checked_out USING (visitor, value)
    WHERE event.step = 4
),
counted AS (
    SELECT viewer.value, views, coalesce(carts, 0) AS carts, to_cart, coalesce(checkouts, 0) AS checkouts, to_checkout,
        coalesce(purchases, 0) AS purchases, to_purchase
    FROM viewer
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
