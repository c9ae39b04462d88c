-- Loading costs less: an index in the order in which rows come, and the same counts in fewer steps.

-- Who loads meanwhile would go on by the functions of before.
LOCK TABLE public.clickstream_events IN SHARE MODE;

-- As in 0014, but events are counted once, by all that three of the tables ask; these are sums of that.
CREATE OR REPLACE FUNCTION public.follow_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- Whatever plans the statement was given: of "changed" the planner knows nothing.
SET enable_seqscan = on SET enable_hashjoin = on SET enable_mergejoin = on SET enable_nestloop = on SET jit = off AS $$
DECLARE
    sign CONSTANT integer := TG_ARGV[0];
    zone text;
    touched record;
    gone text[];
BEGIN
    IF NOT EXISTS (SELECT FROM changed) THEN
        RETURN NULL;
    END IF;
    -- Writers of the model take turns: each sees all events of those before.
    PERFORM pg_advisory_xact_lock(6022171);
    zone := (SELECT time_zone FROM public.model_settings);

    WITH cell AS MATERIALIZED (
        SELECT date_trunc('hour', event_timestamp, zone) AS hour, event_name, user_login_state,
            context_product_category, context_product_brand, is_bot,
            -- In seconds; extract() takes five times as long.
            width_bucket(
                date_part('epoch', loaded_at - event_timestamp), '{900, 1800, 3600, 7200, 21600, 86400}'
            ) AS lag_bucket,
            sign * count(*) AS events
        FROM changed
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), labelled AS (
        SELECT hour, (hour AT TIME ZONE zone)::date AS day, public.label(event_name) AS event_name,
            public.label(user_login_state) AS login_state, public.label(context_product_category) AS category,
            public.label(context_product_brand) AS brand, events
        FROM cell
        WHERE NOT is_bot
    ), hourly AS (
        INSERT INTO public.hourly_events AS present
        SELECT hour, login_state, category, brand, sum(events)
        FROM labelled
        GROUP BY hour, login_state, category, brand
        ORDER BY hour, login_state, category, brand
        ON CONFLICT (hour, login_state, category, brand) DO UPDATE SET events = present.events + excluded.events
    ), daily AS (
        INSERT INTO public.daily_events AS present
        SELECT day, event_name, login_state, category, brand, sum(events)
        FROM labelled
        GROUP BY day, event_name, login_state, category, brand
        ORDER BY day, event_name, login_state, category, brand
        ON CONFLICT (day, event_name, login_state, category, brand) DO UPDATE
        SET events = present.events + excluded.events
    )
    INSERT INTO public.daily_loads AS present
    SELECT (hour AT TIME ZONE zone)::date AS day, is_bot, lag_bucket, sum(events)
    FROM cell
    GROUP BY day, is_bot, lag_bucket
    ORDER BY day, is_bot, lag_bucket
    ON CONFLICT (day, is_bot, lag_bucket) DO UPDATE SET events = present.events + excluded.events;

    INSERT INTO public.daily_products AS present (day, product_id, login_state, views, carts)
    SELECT (event_timestamp AT TIME ZONE zone)::date, public.label(context_product_id), public.label(user_login_state),
        sign * count(*) FILTER (WHERE event_name = 'product_view'),
        sign * count(*) FILTER (WHERE event_name = 'add_to_cart_click')
    FROM changed
    WHERE NOT is_bot AND context_product_id <> '' AND event_name IN ('product_view', 'add_to_cart_click')
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (day, product_id, login_state) DO UPDATE
    SET views = present.views + excluded.views, carts = present.carts + excluded.carts;

    IF sign = 1 THEN
        INSERT INTO public.products AS present
        SELECT DISTINCT ON (public.label(context_product_id))
            public.label(context_product_id), public.label(context_product_name),
            public.label(context_product_category), public.label(context_product_brand),
            context_product_price, context_product_discount_price, context_product_url_path, event_timestamp, event_id
        FROM changed
        WHERE NOT is_bot AND context_product_id <> '' AND context_product_name IS NOT NULL
        ORDER BY public.label(context_product_id), event_timestamp DESC, event_id DESC
        ON CONFLICT (product_id) DO UPDATE SET
            name = excluded.name, category = excluded.category, brand = excluded.brand, price = excluded.price,
            discount_price = excluded.discount_price, url_path = excluded.url_path,
            event_timestamp = excluded.event_timestamp, event_id = excluded.event_id
        WHERE (excluded.event_timestamp, excluded.event_id) > (present.event_timestamp, present.event_id);
    ELSE
        WITH deleted AS (
            DELETE FROM public.products AS product
            USING changed
            WHERE product.product_id = public.label(changed.context_product_id) AND product.event_id = changed.event_id
            RETURNING product.product_id
        )
        SELECT array_agg(product_id) INTO gone FROM deleted;
        PERFORM public.find_products(gone);
        DELETE FROM public.hourly_events WHERE events = 0
            AND hour IN (SELECT date_trunc('hour', event_timestamp, zone) FROM changed);
        DELETE FROM public.daily_events WHERE events = 0
            AND day IN (SELECT (event_timestamp AT TIME ZONE zone)::date FROM changed);
        DELETE FROM public.daily_loads WHERE events = 0;
    END IF;

    SELECT
        array_agg(visitor) AS visitors, array_agg(first) AS firsts, array_agg(last) AS lasts,
        array_agg(received_first) AS received_firsts, array_agg(received_last) AS received_lasts
    INTO touched
    FROM (
        SELECT visitor, min(event_timestamp) AS first, max(event_timestamp) AS last,
            min(received_at) AS received_first, max(received_at) AS received_last
        FROM changed
        WHERE visitor IS NOT NULL AND NOT is_bot
        GROUP BY visitor
        ORDER BY visitor
    ) AS by_visitor;
    IF touched.visitors IS NOT NULL THEN
        PERFORM public.build_sessions(
            touched.visitors, touched.firsts, touched.lasts, touched.received_firsts, touched.received_lasts
        );
    END IF;
    -- After the sessions: purchases may be all that is left of a product's day.
    IF sign = -1 THEN
        DELETE FROM public.daily_products WHERE (views, carts, purchases) = (0, 0, 0)
            AND day IN (SELECT (event_timestamp AT TIME ZONE zone)::date FROM changed);
    END IF;
    RETURN NULL;
END
$$;

-- As in 0013, but each step of the funnel is the first event at or after the step before, found by min(); there is no
-- aggregate of our own.
CREATE OR REPLACE FUNCTION public.add_sessions(
    visitors bigint[], firsts timestamptz[], lasts timestamptz[],
    received_firsts timestamptz[], received_lasts timestamptz[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = on SET enable_nestloop = off SET jit = off
-- In a week that has just begun, the index by receipt is as good as the one by visitor; but not for long.
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    gap CONSTANT interval := '30 minutes';
BEGIN
    WITH event AS (
        SELECT
            region.visitor, event.*,
            event.at - lag(event.at) OVER (PARTITION BY region.visitor ORDER BY event.at) <= gap AS goes_on
        FROM unnest(visitors, firsts, lasts, received_firsts, received_lasts)
            AS region (visitor, first, last, received_first, received_last)
        CROSS JOIN LATERAL (
            SELECT
                event_timestamp AS at, event_name AS name, user_login_state, received_at,
                context_product_id, context_product_category, context_product_brand
            FROM public.clickstream_events AS stored
            WHERE stored.visitor = region.visitor
              AND (stored.visitor, stored.event_timestamp) >= (region.visitor, region.first)
              AND (stored.visitor, stored.event_timestamp) <= (region.visitor, region.last)
              AND stored.received_at BETWEEN region.received_first AND region.received_last
              AND NOT stored.is_bot
            OFFSET 0 -- one look into the index per visitor
        ) AS event
    ), sessioned AS (
        SELECT
            *, public.funnel_step(name) AS step,
            max(at) FILTER (WHERE goes_on IS NOT TRUE) OVER (PARTITION BY visitor ORDER BY at) AS started_at
        FROM event
    ), step AS MATERIALIZED (
        SELECT visitor, started_at, at, name, step, public.label(context_product_id) AS product_id,
            public.label(context_product_category) AS category, public.label(context_product_brand) AS brand
        FROM sessioned
        WHERE step IS NOT NULL OR name = 'remove_from_cart_click'
    ), session AS (
        SELECT
            visitor, started_at, max(at) AS ended_at,
            -- In the order of the alphabet the strongest state comes last.
            coalesce(max(user_login_state), '') AS login_state,
            count(*) AS events,
            count(*) FILTER (WHERE name = 'page_view') AS page_views,
            bool_or(step = 4) IS TRUE AS purchased,
            min(received_at) AS received_first, max(received_at) AS received_last
        FROM sessioned
        GROUP BY visitor, started_at
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
        -- Views and carts, of whatever products and of each category and brand.
        SELECT visitor, started_at, step, at,
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
        SELECT visitor, started_at, category, brand, min(at) AS cart_at
        FROM viewed
        JOIN touched USING (visitor, started_at, category, brand)
        WHERE step = 2 AND at >= view_at
        GROUP BY visitor, started_at, category, brand
    ), to_checkout AS (
        SELECT visitor, started_at, to_cart.category, to_cart.brand, min(at) AS checkout_at
        FROM to_cart
        JOIN step USING (visitor, started_at)
        WHERE step = 3 AND at >= cart_at
        GROUP BY visitor, started_at, to_cart.category, to_cart.brand
    ), to_purchase AS (
        SELECT visitor, started_at, to_checkout.category, to_checkout.brand, min(at) AS purchase_at
        FROM to_checkout
        JOIN step USING (visitor, started_at)
        WHERE step = 4 AND at >= checkout_at
        GROUP BY visitor, started_at, to_checkout.category, to_checkout.brand
    ), funnel_event AS (
        INSERT INTO public.funnel_events (visitor, started_at, at, step, login_state, category, brand)
        SELECT visitor, started_at, at, step, login_state, category, brand
        FROM step
        JOIN session USING (visitor, started_at)
        WHERE step >= 2
    ), cart AS (
        -- What is put into the cart or taken out, and the next completion, at once or later.
        SELECT *, min(at) FILTER (WHERE step = 4) OVER (
            PARTITION BY visitor, started_at ORDER BY at DESC
        ) AS completed_at
        FROM step
        WHERE step IN (2, 4) OR step IS NULL
    ), bought AS (
        SELECT visitor, started_at, at, product_id FROM cart WHERE step = 4 AND product_id <> ''
        UNION
        SELECT visitor, started_at, completed_at, product_id
        FROM cart
        WHERE name <> 'checkout_complete' AND product_id <> ''
          AND (visitor, started_at, completed_at) IN (
              SELECT visitor, started_at, at FROM cart WHERE step = 4 AND product_id = ''
          )
        GROUP BY visitor, started_at, completed_at, product_id
        HAVING max(at) FILTER (WHERE step = 2) > coalesce(max(at) FILTER (WHERE step IS NULL), '-infinity')
    ), purchase AS (
        INSERT INTO public.purchases (visitor, started_at, at, login_state, product_id)
        SELECT visitor, started_at, at, login_state, product_id
        FROM bought
        JOIN session USING (visitor, started_at)
    ), before_in_state AS (
        -- The last of the sessions that were there before all of these.
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
        viewed_before_at, viewed_before_in_state_at, received_first, received_last
    )
    SELECT
        visitor, category, brand, started_at, ended_at, login_state, events, page_views,
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
        received_first, received_last
    FROM part
    JOIN session USING (visitor, started_at)
    LEFT JOIN viewed USING (visitor, started_at, category, brand)
    LEFT JOIN to_cart USING (visitor, started_at, category, brand)
    LEFT JOIN to_checkout USING (visitor, started_at, category, brand)
    LEFT JOIN to_purchase USING (visitor, started_at, category, brand)
    LEFT JOIN before USING (visitor, category, brand)
    LEFT JOIN before_in_state USING (visitor, category, brand, login_state);
END
$$;

DROP AGGREGATE public.funnel (smallint, timestamptz);
DROP FUNCTION public.funnel_reach;

-- As in 0017, but of visitors who are always in one login state the paths in it are not searched a second time.
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
        -- Of whoever is always in one state, what goes for any state goes for it.
        SELECT visitor, in_state
        FROM buyer
        CROSS JOIN (VALUES (false), (true)) AS scope (in_state)
        WHERE NOT (in_state AND in_one_state)
    ), step AS (
        SELECT later.*, in_state, CASE WHEN in_state THEN login_state END AS state
        FROM later
        JOIN scope USING (visitor)
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
        SELECT visitor, in_state, CASE WHEN in_state THEN login_state END, login_state, category, brand,
            1, started_at, view_at, NULL, NULL, NULL, NULL
        FROM viewed
        JOIN scope USING (visitor)
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
    ORDER BY in_state, category, brand, started_at; -- as they are read
END
$$;

-- In the order of receipt the newest page of the index takes all that comes; in that of event ids any of its pages did.
-- A row is found by its id through clickstream_event_ids, which knows when it was received.
CREATE UNIQUE INDEX clickstream_events_key ON public.clickstream_events (received_at, event_id);
