-- Inserts the sessions of these visitors between `firsts` and `lasts`, where there are none now, from their events. All of
-- these events were received between `received_firsts` and `received_lasts`. Each step of the funnel is the first event at
-- or after the step before.
--
-- The time is linear in the events (and n log n where they are sorted), also of one session whose every event has a
-- category and brand of its own: no join is by session alone, unless one side has one row a session. So each event knows
-- the completion that comes next, and the checkout that comes next with its completion.
--
-- This goes for all functions that take arrays of visitors: the arrays have the same length, an element each per visitor.
-- The planner knows nothing of an array's contents, and little of tables that have just begun to grow. So each function
-- switches off the joins that become slow when there are many visitors, and compares rows as a whole where only one index
-- will do.
CREATE OR REPLACE FUNCTION public.add_sessions(
    visitors bigint[], firsts timestamptz[], lasts timestamptz[],
    received_firsts timestamptz[], received_lasts timestamptz[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = on SET enable_nestloop = off SET jit = off
-- In a week that has just begun the index by time of receipt looks as good as the one by visitor, but not for long: a
-- cached plan would keep it.
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    gap CONSTANT interval := '30 minutes';
    longest CONSTANT interval := '24 hours';
    ten_seconds CONSTANT interval := '10 seconds';
BEGIN
    WITH RECURSIVE event AS (
        SELECT
            region.visitor, event.*,
            event.at - lag(event.at) OVER (PARTITION BY region.visitor ORDER BY event.at) <= gap AS goes_on
        FROM unnest(visitors, firsts, lasts, received_firsts, received_lasts)
            AS region (visitor, first, last, received_first, received_last)
        CROSS JOIN LATERAL (
            SELECT
                event_timestamp AS at, public.login_state(user_login_state, identity_verified) AS user_login_state,
                received_at,
                -- A copy of an order that counts already completes nothing.
                CASE
                    WHEN order_id IS NULL OR event_name <> 'checkout_complete'
                        OR NOT public.is_order_copy(public.label(order_id), event_timestamp, event_id)
                    THEN event_name
                END AS name,
                -- Of a view, the page: a hash of 64 bits, because a URL may be long.
                CASE WHEN public.is_view(event_name) THEN hashtextextended(coalesce(page_url, ''), 0) END AS page,
                public.or_other(context_product_category, folded & 4) AS context_product_category,
                public.or_other(context_product_brand, folded & 8) AS context_product_brand
            FROM public.clickstream_events AS stored
            WHERE stored.visitor = region.visitor
              AND (stored.visitor, stored.event_timestamp) >= (region.visitor, region.first)
              AND (stored.visitor, stored.event_timestamp) <= (region.visitor, region.last)
              AND stored.received_at BETWEEN region.received_first AND region.received_last
              AND NOT stored.is_bot AND stored.flood IS NULL
            OFFSET 0 -- keeps this subquery apart: one index scan per visitor
        ) AS event
    ), without_gap AS MATERIALIZED (
        SELECT *, max(at) FILTER (WHERE goes_on IS NOT TRUE) OVER (PARTITION BY visitor ORDER BY at) AS since
        FROM event
    ), cut AS (
        -- Where a session ends after 24 hours: at the first event later than that. There is hardly ever one.
        SELECT visitor, since, min(at) AS at
        FROM without_gap
        WHERE at - since > longest
        GROUP BY visitor, since
        UNION ALL
        SELECT * FROM (
            SELECT DISTINCT ON (cut.visitor, cut.since) cut.visitor, cut.since, event.at
            FROM cut
            JOIN without_gap AS event ON event.visitor = cut.visitor AND event.since = cut.since
            WHERE event.at - cut.at > longest
            ORDER BY cut.visitor, cut.since, event.at
        ) AS next
    ), part_of_day AS (
        SELECT visitor, since, at, lead(at, 1, 'infinity') OVER (PARTITION BY visitor, since ORDER BY at) AS next_at FROM cut
    ), sessioned AS (
        SELECT event.*, public.funnel_step(name) AS step, coalesce(part_of_day.at, event.since) AS started_at
        FROM without_gap AS event
        LEFT JOIN part_of_day
            ON part_of_day.visitor = event.visitor AND part_of_day.since = event.since
            AND event.at >= part_of_day.at AND event.at < part_of_day.next_at
    ), to_completion AS (
        SELECT visitor, started_at, at, step,
            public.label(context_product_category) AS category, public.label(context_product_brand) AS brand,
            min(at) FILTER (WHERE step = 4) OVER onward AS completed_at
        FROM sessioned
        WHERE step IS NOT NULL
        WINDOW onward AS (PARTITION BY visitor, started_at ORDER BY at DESC)
    ), step AS MATERIALIZED (
        -- Of what follows the earliest is the next; and the completion after the earliest checkout is the earliest too.
        SELECT *,
            min(at) FILTER (WHERE step = 3) OVER onward AS checkout_at,
            min(completed_at) FILTER (WHERE step = 3) OVER onward AS purchase_at
        FROM to_completion
        WINDOW onward AS (PARTITION BY visitor, started_at ORDER BY at DESC)
    ), session AS (
        SELECT
            visitor, started_at, max(at) AS ended_at,
            -- The strongest state comes last in the alphabet; see login_state.
            coalesce(max(user_login_state), '') AS login_state,
            count(*) AS events,
            count(page) AS views,
            bool_or(step = 2) IS TRUE AS filled_cart,
            bool_or(step = 4) IS TRUE AS purchased,
            min(received_at) AS received_first, max(received_at) AS received_last
        FROM sessioned
        GROUP BY visitor, started_at
    ), repeated AS MATERIALIZED (
        -- The page_view events whose page a specific view says too. Most pages have none, and are not looked at.
        SELECT visitor, started_at, at, login_state
        FROM (
            SELECT visitor, started_at, at, name, public.label(user_login_state) AS login_state,
                bool_or(name <> 'page_view') OVER (
                    PARTITION BY visitor, started_at, page
                    ORDER BY at RANGE BETWEEN ten_seconds PRECEDING AND ten_seconds FOLLOWING
                ) AS said_too
            FROM sessioned
            WHERE (visitor, started_at, page) IN (
                SELECT visitor, started_at, page FROM sessioned WHERE page IS NOT NULL AND name <> 'page_view'
            )
        ) AS view
        WHERE name = 'page_view' AND said_too
    ), repeats AS (
        SELECT visitor, started_at, count(*) AS repeats FROM repeated GROUP BY visitor, started_at
    ), repeated_view AS (
        INSERT INTO public.repeated_views (visitor, started_at, at, login_state)
        SELECT visitor, started_at, at, login_state FROM repeated
    ), product_group AS (
        SELECT DISTINCT visitor, started_at, label.category, label.brand
        FROM (
            SELECT DISTINCT visitor, started_at,
                public.label(context_product_category) AS category, public.label(context_product_brand) AS brand
            FROM sessioned
            WHERE context_product_category <> '' OR context_product_brand <> ''
        ) AS touched
        CROSS JOIN LATERAL (VALUES (category, ''), ('', brand), (category, brand)) AS label (category, brand)
        WHERE label.category <> '' OR label.brand <> ''
    ), part AS (
        SELECT visitor, started_at, '' AS category, '' AS brand FROM session
        UNION ALL
        SELECT visitor, started_at, category, brand FROM product_group
    ), touched AS (
        -- Views and carts of any product, and again of each category and brand.
        SELECT visitor, started_at, step, at, checkout_at, purchase_at,
            CASE WHEN part.of_category THEN category ELSE '' END AS category,
            CASE WHEN part.of_brand THEN brand ELSE '' END AS brand
        FROM step
        CROSS JOIN (VALUES (false, false), (true, false), (false, true), (true, true))
            AS part (of_category, of_brand)
        WHERE step <= 2 AND (category <> '' OR NOT part.of_category) AND (brand <> '' OR NOT part.of_brand)
    ), viewed AS (
        SELECT visitor, started_at, category, brand,
            min(at) FILTER (WHERE step = 1) AS view_at, bool_or(step = 2) AS carted
        FROM touched
        GROUP BY visitor, started_at, category, brand
    ), to_cart AS (
        -- What follows the first of these carts follows it first.
        SELECT visitor, started_at, category, brand,
            min(at) AS cart_at, min(checkout_at) AS checkout_at, min(purchase_at) AS purchase_at
        FROM viewed
        JOIN touched USING (visitor, started_at, category, brand)
        WHERE step = 2 AND at >= view_at
        GROUP BY visitor, started_at, category, brand
    ), funnel_event AS (
        INSERT INTO public.funnel_events (visitor, started_at, at, step, login_state, category, brand)
        SELECT visitor, started_at, at, step, login_state, category, brand
        FROM step
        JOIN session USING (visitor, started_at)
        WHERE step >= 2
    ), before_in_state AS (
        -- The visitor's last session before all of these.
        SELECT region.visitor, before.*
        FROM unnest(visitors, firsts) AS region (visitor, first)
        CROSS JOIN LATERAL (
            SELECT category, brand, login_state, max(started_at) AS at,
                max(started_at) FILTER (WHERE view_at IS NOT NULL) AS viewed_at
            FROM public.sessions AS session
            WHERE session.visitor = region.visitor AND session.started_at < region.first
            GROUP BY category, brand, login_state
            OFFSET 0
        ) AS before
    ), before AS (
        SELECT visitor, category, brand, max(at) AS at, max(viewed_at) AS viewed_at
        FROM before_in_state
        GROUP BY visitor, category, brand
    )
    INSERT INTO public.sessions (
        visitor, category, brand, started_at, ended_at, login_state, events, page_views, carted, purchased,
        view_at, cart_at, checkout_at, purchase_at, previous_at, previous_in_state_at,
        viewed_before_at, viewed_before_in_state_at, received_first, received_last, bounced
    )
    SELECT
        visitor, category, brand, started_at, ended_at, login_state, events, views - coalesce(repeats, 0),
        coalesce(carted, false), purchased, view_at, cart_at, checkout_at, purchase_at,
        coalesce(
            lag(started_at) OVER (PARTITION BY visitor, category, brand ORDER BY started_at), before.at
        ),
        coalesce(
            lag(started_at) OVER (PARTITION BY visitor, category, brand, login_state ORDER BY started_at),
            before_in_state.at
        ),
        coalesce(
            max(started_at) FILTER (WHERE view_at IS NOT NULL) OVER (
                PARTITION BY visitor, category, brand
                ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            before.viewed_at
        ),
        coalesce(
            max(started_at) FILTER (WHERE view_at IS NOT NULL) OVER (
                PARTITION BY visitor, category, brand, login_state
                ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            before_in_state.viewed_at
        ),
        received_first, received_last,
        views - coalesce(repeats, 0) = 1 AND NOT filled_cart AND NOT purchased
    FROM part
    JOIN session USING (visitor, started_at)
    LEFT JOIN repeats USING (visitor, started_at)
    LEFT JOIN viewed USING (visitor, started_at, category, brand)
    LEFT JOIN to_cart USING (visitor, started_at, category, brand)
    LEFT JOIN before USING (visitor, category, brand)
    LEFT JOIN before_in_state USING (visitor, category, brand, login_state);
END
$$;

REVOKE ALL ON FUNCTION public.add_sessions FROM PUBLIC;
