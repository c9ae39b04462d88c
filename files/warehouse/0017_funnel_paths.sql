-- The funnel by visitor from one scan, also of a category or brand and by them: each cart that may be somebody's first
-- of a period knows which view led to it and what followed.

-- Who loads meanwhile would go on by the functions of before.
LOCK TABLE public.clickstream_events IN SHARE MODE;

CREATE TABLE public.funnel_paths (
    visitor             bigint      NOT NULL,
    in_state            boolean     NOT NULL,
    login_state         text        NOT NULL,
    category            text        NOT NULL,
    brand               text        NOT NULL,
    started_at          timestamptz NOT NULL,
    entered_at          timestamptz NOT NULL,
    entered_before_at   timestamptz,
    view_started_at     timestamptz NOT NULL,
    view_at             timestamptz NOT NULL,
    cart_at             timestamptz NOT NULL,
    checkout_started_at timestamptz,
    checkout_at         timestamptz,
    purchase_started_at timestamptz,
    purchase_at         timestamptz
);

CREATE INDEX funnel_paths_visitor_idx ON public.funnel_paths (visitor);
CREATE INDEX funnel_paths_started_at_idx ON public.funnel_paths (in_state, category, brand, started_at);

COMMENT ON TABLE public.funnel_paths IS
    'From a view to the first cart that it led to, and on to the next checkout and purchase. As in sessions, with '
    'category = '''' and brand = '''' of whatever products, and again for each category and brand: views and carts are '
    'of these, checkouts are any. A visitor''s first cart in a period is the path whose started_at and entered_at are in the '
    'period and whose entered_before_at is before it or NULL.';
COMMENT ON COLUMN public.funnel_paths.in_state IS
    'Whether only sessions of this login_state count, or any: then login_state is the cart''s and says nothing else.';
COMMENT ON COLUMN public.funnel_paths.started_at IS 'When the cart''s session began.';
COMMENT ON COLUMN public.funnel_paths.entered_at IS
    'When the last session began whose view_at is not after the cart: the first of its carts is in the table.';
COMMENT ON COLUMN public.funnel_paths.entered_before_at IS 'entered_at of the visitor''s path before.';
COMMENT ON COLUMN public.funnel_paths.view_at IS
    'view_at of the first session with one after entered_before_at; that began at view_started_at.';
COMMENT ON COLUMN public.funnel_paths.checkout_started_at IS
    'When the session began in which the next checkout_start is, and so on for the checkout_complete after that.';

GRANT SELECT ON public.funnel_paths TO clickstream_reader;

-- Makes the paths anew of these visitors, if one of them is in sessions from `firsts` on, or was. Writes what differs.
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

    WITH step AS (
        SELECT later.*, scope.in_state, CASE WHEN scope.in_state THEN later.login_state END AS state
        FROM unnest(buyers) AS buyer (visitor)
        CROSS JOIN LATERAL (
            SELECT visitor, started_at, at, step, login_state, category, brand
            FROM public.funnel_events AS present
            WHERE present.visitor = buyer.visitor
            OFFSET 0
        ) AS later
        CROSS JOIN (VALUES (false), (true)) AS scope (in_state)
    ), to_purchase AS (
        -- What comes next comes first of those that follow: a visitor's sessions do not overlap.
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
        SELECT viewed.visitor, scope.in_state, CASE WHEN scope.in_state THEN viewed.login_state END,
            viewed.login_state, viewed.category, viewed.brand, 1, viewed.started_at, viewed.view_at,
            NULL, NULL, NULL, NULL
        FROM unnest(buyers) AS buyer (visitor)
        CROSS JOIN LATERAL (
            SELECT visitor, category, brand, login_state, started_at, view_at
            FROM public.sessions AS session
            WHERE session.visitor = buyer.visitor AND view_at IS NOT NULL
            OFFSET 0
        ) AS viewed
        CROSS JOIN (VALUES (false), (true)) AS scope (in_state)
    ), in_turn AS (
        SELECT *, lead(started_at) OVER same_step AS next_started_at, lead(at) OVER same_step AS next_at
        FROM view_or_cart
        WINDOW same_step AS (PARTITION BY visitor, in_state, state, category, brand, step ORDER BY at)
    ), from_view AS (
        -- Until then: the last view, the one after that, and the first of all.
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
        SELECT visitor, in_state, login_state, category, brand, started_at, entered_at, entered_before_at,
            view_started_at, view_at, at AS cart_at,
            checkout_started_at, checkout_at, purchase_started_at, purchase_at
        FROM path
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
    ORDER BY in_state, category, brand, started_at; -- as they are read
END
$$;

-- As in 0014, and the paths.
CREATE OR REPLACE FUNCTION public.clear_model() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    TRUNCATE public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products,
        public.sessions, public.funnel_events, public.funnel_paths, public.purchases, public.daily_sessions;
    RETURN NULL;
END
$$;

CREATE OR REPLACE FUNCTION public.rebuild_model() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    partition regclass;
BEGIN
    LOCK TABLE public.clickstream_events IN SHARE MODE;
    TRUNCATE public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products,
        public.sessions, public.funnel_events, public.funnel_paths, public.purchases, public.daily_sessions;
    -- What the trigger gets to see.
    CREATE TEMPORARY TABLE model_feed (LIKE public.clickstream_events) ON COMMIT DROP;
    CREATE TRIGGER follow_inserted AFTER INSERT ON pg_temp.model_feed
        REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('1');
    FOR partition IN
        SELECT inhrelid FROM pg_inherits WHERE inhparent = 'public.clickstream_events'::regclass
        ORDER BY inhrelid::regclass::text
    LOOP
        EXECUTE format('INSERT INTO pg_temp.model_feed SELECT * FROM %s', partition);
        TRUNCATE pg_temp.model_feed;
    END LOOP;
    DROP TABLE pg_temp.model_feed;
END
$$;

-- As sessions_view_idx in 0012, without what the paths know.
CREATE INDEX sessions_viewed_idx
    ON public.sessions (category, brand, started_at)
    INCLUDE (login_state, viewed_before_at, viewed_before_in_state_at)
    WHERE view_at IS NOT NULL;

SELECT public.link_funnel(array_agg(visitor), array_agg(timestamptz '-infinity'))
FROM (SELECT DISTINCT visitor FROM public.funnel_events) AS buyer;

-- What nobody needs any more goes last: readers wait only for this. In the order in which they take their locks.
LOCK TABLE public.sessions, public.funnel_events IN ACCESS EXCLUSIVE MODE;
DROP INDEX public.sessions_viewer_idx, public.sessions_view_idx, public.funnel_events_step_idx;
ALTER TABLE public.funnel_events
    DROP COLUMN entered_at, DROP COLUMN entered_before_at,
    DROP COLUMN entered_in_state_at, DROP COLUMN entered_before_in_state_at,
    DROP COLUMN view_at, DROP COLUMN viewed_before_at,
    DROP COLUMN view_in_state_at, DROP COLUMN viewed_before_in_state_at;
ALTER TABLE public.funnel_events RESET (fillfactor);
