-- Recomputes the funnel paths of those among these visitors who have, or had, a funnel event in sessions from `firsts` on.
-- Writes only rows that differ.
CREATE OR REPLACE FUNCTION public.link_funnel(visitors bigint[], firsts timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = on SET enable_nestloop = off SET jit = off AS $$
DECLARE
    buyers bigint[];
BEGIN
    SELECT array_agg(visitor) INTO buyers
    FROM unnest(visitors, firsts) AS region (visitor, first)
    WHERE EXISTS (
        SELECT FROM public.funnel_events AS present
        WHERE present.visitor = region.visitor AND present.started_at >= region.first
        OFFSET 0
    ) OR EXISTS (
        SELECT FROM public.funnel_paths AS present
        WHERE present.visitor = region.visitor
          AND greatest(started_at, checkout_started_at, purchase_started_at) >= region.first
        OFFSET 0
    );
    IF buyers IS NULL THEN
        RETURN;
    END IF;

    WITH later AS MATERIALIZED (
        SELECT later.*
        FROM unnest(buyers) AS buyer (visitor)
        CROSS JOIN LATERAL (
            SELECT visitor, started_at, at, step, login_state, category, brand
            FROM public.funnel_events AS present
            WHERE present.visitor = buyer.visitor
            OFFSET 0
        ) AS later
    ), viewed AS MATERIALIZED (
        SELECT viewed.*
        FROM unnest(buyers) AS buyer (visitor)
        CROSS JOIN LATERAL (
            SELECT visitor, category, brand, login_state, started_at, view_at
            FROM public.sessions AS session
            WHERE session.visitor = buyer.visitor AND view_at IS NOT NULL
            OFFSET 0
        ) AS viewed
    ), buyer AS MATERIALIZED (
        SELECT visitor, min(login_state) = max(login_state) AS in_one_state
        FROM (SELECT visitor, login_state FROM later UNION ALL SELECT visitor, login_state FROM viewed) AS present
        GROUP BY visitor
    ), scope AS (
        -- For a visitor who is always in one login state, the paths of any state are those of that state.
        SELECT visitor, in_state
        FROM buyer
        CROSS JOIN (VALUES (false), (true)) AS scope (in_state)
        WHERE NOT (in_state AND in_one_state)
    ), step AS (
        SELECT later.*, in_state, CASE WHEN in_state THEN login_state END AS state
        FROM later
        JOIN scope USING (visitor)
    ), to_purchase AS (
        -- The next step is the earliest of those that follow, because a visitor's sessions do not overlap.
        SELECT *,
            min(at) FILTER (WHERE step = 4) OVER onward AS purchase_at,
            min(started_at) FILTER (WHERE step = 4) OVER onward AS purchase_started_at
        FROM step
        WINDOW onward AS (PARTITION BY visitor, in_state, state ORDER BY at DESC)
    ), to_checkout AS (
        SELECT visitor, started_at, at, step, login_state, category, brand, in_state, state,
            min(at) FILTER (WHERE step = 3) OVER onward AS checkout_at,
            min(started_at) FILTER (WHERE step = 3) OVER onward AS checkout_started_at,
            min(purchase_at) FILTER (WHERE step = 3) OVER onward AS purchase_at,
            min(purchase_started_at) FILTER (WHERE step = 3) OVER onward AS purchase_started_at
        FROM to_purchase
        WINDOW onward AS (PARTITION BY visitor, in_state, state ORDER BY at DESC)
    ), view_or_cart AS (
        SELECT visitor, in_state, state, login_state,
            CASE WHEN part.of_category THEN category ELSE '' END AS category,
            CASE WHEN part.of_brand THEN brand ELSE '' END AS brand,
            step, started_at, at, checkout_at, checkout_started_at, purchase_at, purchase_started_at
        FROM to_checkout AS cart
        CROSS JOIN (VALUES (false, false), (true, false), (false, true), (true, true))
            AS part (of_category, of_brand)
        WHERE step = 2 AND (category <> '' OR NOT part.of_category) AND (brand <> '' OR NOT part.of_brand)
        UNION ALL
        SELECT visitor, in_state, CASE WHEN in_state THEN login_state END, login_state, category, brand,
            1, started_at, view_at, NULL, NULL, NULL, NULL
        FROM viewed
        JOIN scope USING (visitor)
    ), in_turn AS (
        SELECT *, lead(started_at) OVER same_step AS next_started_at, lead(at) OVER same_step AS next_at
        FROM view_or_cart
        WINDOW same_step AS (PARTITION BY visitor, in_state, state, category, brand, step ORDER BY at)
    ), from_view AS (
        -- Up to this row: the last view, the view after that one, and the first view of all.
        SELECT *,
            max(started_at) FILTER (WHERE step = 1) OVER until_then AS entered_at,
            max(next_started_at) FILTER (WHERE step = 1) OVER until_then AS next_view_started_at,
            max(next_at) FILTER (WHERE step = 1) OVER until_then AS next_view_at,
            min(started_at) FILTER (WHERE step = 1) OVER until_then AS first_view_started_at,
            min(at) FILTER (WHERE step = 1) OVER until_then AS first_view_at
        FROM in_turn
        WINDOW until_then AS (PARTITION BY visitor, in_state, state, category, brand ORDER BY at)
    ), path AS (
        SELECT *,
            lag(entered_at) OVER carts AS entered_before_at,
            coalesce(lag(next_view_started_at) OVER carts, first_view_started_at) AS view_started_at,
            coalesce(lag(next_view_at) OVER carts, first_view_at) AS view_at
        FROM from_view
        WHERE step = 2
        WINDOW carts AS (PARTITION BY visitor, in_state, state, category, brand ORDER BY at)
    ), made AS MATERIALIZED (
        SELECT visitor, scope.in_state, login_state, category, brand, started_at, entered_at, entered_before_at,
            view_started_at, view_at, at AS cart_at,
            checkout_started_at, checkout_at, purchase_started_at, purchase_at
        FROM path
        JOIN buyer USING (visitor)
        JOIN (VALUES (false), (true)) AS scope (in_state) ON scope.in_state = path.in_state OR in_one_state
        WHERE entered_at IS DISTINCT FROM entered_before_at
    ), present AS MATERIALIZED (
        SELECT * FROM public.funnel_paths WHERE visitor = ANY (buyers)
    ), unmade AS (
        DELETE FROM public.funnel_paths AS path
        WHERE visitor = ANY (buyers) AND NOT EXISTS (
            SELECT FROM made
            WHERE made.visitor = path.visitor AND made.cart_at = path.cart_at AND made.in_state = path.in_state
              AND made.category = path.category AND made.brand = path.brand AND made IS NOT DISTINCT FROM path
        )
    )
    INSERT INTO public.funnel_paths
    SELECT made.*
    FROM made
    WHERE NOT EXISTS (
        SELECT FROM present AS path
        WHERE made.visitor = path.visitor AND made.cart_at = path.cart_at AND made.in_state = path.in_state
          AND made.category = path.category AND made.brand = path.brand AND made IS NOT DISTINCT FROM path
    )
    ORDER BY in_state, category, brand, started_at; -- the order in which they are read
END
$$;

REVOKE ALL ON FUNCTION public.link_funnel FROM PUBLIC;
