-- Keeps the model equal to a count over the events. The events of one statement (`changed`) are added to it (argument 1) or
-- removed from it (argument -1). An update does both: the old rows are removed, the new ones added.
--
-- Events that are marked as a flood count as bots'. One that is not marked, on a day that is listed in flood_days, counts
-- nowhere: it is marked before anything is counted, and that update counts it.
CREATE OR REPLACE FUNCTION public.follow_events() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
-- The loader switches some plans off for its own statements; here joins are allowed, for the planner knows nothing of
-- "changed": it takes it to be as large as at the session's first statement. And tables that are empty then may be large
-- before the plan is made anew, so indexes are used.
SET enable_seqscan = off SET enable_hashjoin = on SET enable_mergejoin = on SET enable_nestloop = on SET jit = off AS $$
DECLARE
    sign CONSTANT integer := TG_ARGV[0];
    zone text;
    touched record;
    suspects record;
    most integer;
    has_floods boolean; -- hardly ever: then no event is compared with flood_days
    heavy bigint[];
    products text[];
    fields smallint[];
BEGIN
    IF NOT EXISTS (SELECT FROM changed) THEN
        RETURN NULL;
    END IF;
    -- Writers of the model take turns, so that each sees all events of those before it.
    PERFORM pg_advisory_xact_lock(6022171);
    SELECT time_zone, max_events_a_visitor_day INTO zone, most FROM public.model_settings;

    SELECT count(*) > 0 INTO has_floods FROM changed WHERE visitor IN (SELECT visitor FROM public.flood_days);

    IF sign = 1 AND has_floods THEN
        SELECT array_agg(visitor) AS visitors, array_agg(starts) AS starts, array_agg(ends) AS ends INTO touched
        FROM (
            SELECT DISTINCT day.*
            FROM changed
            JOIN public.flood_days AS day ON day.visitor = changed.visitor
            WHERE event_timestamp >= starts AND event_timestamp < ends AND NOT is_bot AND flood IS NULL
        ) AS late;
        IF touched.visitors IS NOT NULL THEN
            UPDATE public.clickstream_events AS stored SET flood = true
            FROM unnest(touched.visitors, touched.starts, touched.ends) AS day (visitor, starts, ends)
            WHERE stored.visitor = day.visitor AND event_timestamp >= starts AND event_timestamp < ends
              AND NOT is_bot AND flood IS NULL;
        END IF;
    END IF;

    WITH cell AS MATERIALIZED (
        SELECT date_trunc('hour', event_timestamp AT TIME ZONE zone) AS hour,
            public.or_other(event_name, folded & 1) AS event_name,
            public.login_state(user_login_state, identity_verified) AS user_login_state,
            public.or_other(context_product_category, folded & 4) AS context_product_category,
            public.or_other(context_product_brand, folded & 8) AS context_product_brand,
            is_bot OR flood IS NOT NULL AS is_bot,
            -- date_part() and not extract(), which takes five times as long.
            width_bucket(
                date_part('epoch', loaded_at - event_timestamp), '{900, 1800, 3600, 7200, 21600, 86400}'
            ) AS lag_bucket,
            sign * count(*) AS events
        FROM changed
        WHERE is_bot OR flood OR NOT has_floods OR NOT EXISTS (
            SELECT FROM public.flood_days AS day
            WHERE day.visitor = changed.visitor AND event_timestamp >= day.starts AND event_timestamp < day.ends
        )
        GROUP BY 1, 2, 3, 4, 5, 6, 7
    ), labelled AS (
        SELECT hour, hour::date AS day, public.label(event_name) AS event_name,
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
    ), pages AS (
        INSERT INTO public.hourly_pages AS present
        SELECT hour, login_state, sum(events)
        FROM labelled
        WHERE public.is_view(event_name)
        GROUP BY 1, 2
        ORDER BY 1, 2
        ON CONFLICT (hour, login_state) DO UPDATE SET pages = present.pages + excluded.pages
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
    SELECT hour::date AS day, is_bot, lag_bucket, sum(events)
    FROM cell
    GROUP BY day, is_bot, lag_bucket
    ORDER BY day, is_bot, lag_bucket
    ON CONFLICT (day, is_bot, lag_bucket) DO UPDATE SET events = present.events + excluded.events;

    INSERT INTO public.daily_products AS present (day, product_id, login_state, views, carts)
    SELECT (event_timestamp AT TIME ZONE zone)::date, public.label(public.or_other(context_product_id, folded & 2)),
        public.label(public.login_state(user_login_state, identity_verified)),
        sign * count(*) FILTER (WHERE event_name = 'product_view'),
        sign * count(*) FILTER (WHERE event_name = 'add_to_cart_click')
    FROM changed
    WHERE NOT is_bot AND flood IS NULL AND context_product_id <> ''
      AND event_name IN ('product_view', 'add_to_cart_click')
      AND (NOT has_floods OR NOT EXISTS (
          SELECT FROM public.flood_days AS day
          WHERE day.visitor = changed.visitor AND event_timestamp >= day.starts AND event_timestamp < day.ends
      ))
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (day, product_id, login_state) DO UPDATE
    SET views = present.views + excluded.views, carts = present.carts + excluded.carts;

    IF sign = 1 THEN
        WITH named AS MATERIALIZED (
            SELECT
                public.label(context_product_id) AS product_id,
                public.known_fields(
                    context_product_name, context_product_category, context_product_brand, context_product_price,
                    context_product_discount_price, context_product_url_path, identity_verified
                ) AS known,
                public.label(context_product_name) AS name,
                public.label(public.or_other(context_product_category, folded & 4)) AS category,
                public.label(public.or_other(context_product_brand, folded & 8)) AS brand,
                context_product_price AS price, context_product_discount_price AS discount_price,
                left(context_product_url_path, 200) AS url_path, event_timestamp, event_id
            FROM changed
            WHERE NOT is_bot AND flood IS NULL AND context_product_id <> '' AND coalesce(folded & 2, 0) = 0
              AND NOT EXISTS (
                  SELECT FROM public.flood_days AS day
                  WHERE day.visitor = changed.visitor AND event_timestamp >= day.starts AND event_timestamp < day.ends
              )
        ), fact AS (
            INSERT INTO public.product_facts AS present
            (
                SELECT DISTINCT ON (product_id, known) *
                FROM named
                WHERE known > 0
                ORDER BY product_id, known, event_timestamp DESC, event_id DESC
            )
            UNION ALL
            (
                SELECT DISTINCT ON (product_id, known)
                    product_id, known + 128, name, category, brand, price, discount_price, url_path, event_timestamp, event_id
                FROM named
                WHERE known BETWEEN 1 AND 63
                ORDER BY product_id, known, event_timestamp, event_id
            )
            ON CONFLICT (product_id, known) DO UPDATE SET
                name = excluded.name, category = excluded.category, brand = excluded.brand, price = excluded.price,
                discount_price = excluded.discount_price, url_path = excluded.url_path,
                event_timestamp = excluded.event_timestamp, event_id = excluded.event_id
            WHERE CASE
                WHEN excluded.known < 128
                    THEN (excluded.event_timestamp, excluded.event_id) > (present.event_timestamp, present.event_id)
                ELSE (excluded.event_timestamp, excluded.event_id) < (present.event_timestamp, present.event_id)
            END
            RETURNING product_id, known
        )
        SELECT array_agg(DISTINCT product_id) INTO products FROM fact WHERE known < 128;
        PERFORM public.merge_products(products);
    ELSE
        WITH deleted AS (
            DELETE FROM public.product_facts AS fact
            USING changed
            WHERE fact.product_id = public.label(changed.context_product_id) AND fact.event_id = changed.event_id
            RETURNING fact.product_id, fact.known
        )
        SELECT array_agg(product_id), array_agg(known) INTO products, fields FROM deleted;
        PERFORM public.find_products(products, fields);
        PERFORM public.merge_products(products);
        DELETE FROM public.hourly_events WHERE events = 0
            AND hour IN (SELECT date_trunc('hour', event_timestamp AT TIME ZONE zone) FROM changed);
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
        FROM (
            SELECT visitor, event_timestamp, received_at
            FROM changed
            WHERE visitor IS NOT NULL AND NOT is_bot AND flood IS NULL
              AND (NOT has_floods OR NOT EXISTS (
                  SELECT FROM public.flood_days AS day
                  WHERE day.visitor = changed.visitor AND event_timestamp >= day.starts AND event_timestamp < day.ends
              ))
            UNION ALL
            -- An order's copies may be other visitors': whose counted until now, and whose counts now.
            SELECT copy.*
            FROM (
                SELECT DISTINCT public.label(order_id) AS id
                FROM changed
                WHERE order_id <> '' AND event_name = 'checkout_complete' AND NOT is_bot
            ) AS sent
            CROSS JOIN LATERAL (
                (SELECT visitor, at, NULL::timestamptz AS received_at FROM public.orders WHERE order_id = sent.id AND order_id <> '')
                UNION ALL
                (
                    SELECT visitor, event_timestamp, received_at
                    FROM public.clickstream_events AS stored
                    WHERE public.label(order_id) = sent.id AND order_id <> '' AND event_name = 'checkout_complete'
                      AND NOT is_bot AND flood IS NULL
                    ORDER BY event_timestamp, event_id
                    LIMIT 1
                )
            ) AS copy
            WHERE visitor IS NOT NULL
        ) AS event
        GROUP BY visitor
        ORDER BY visitor
    ) AS by_visitor;
    IF touched.visitors IS NOT NULL THEN
        PERFORM public.build_sessions(
            touched.visitors, touched.firsts, touched.lasts, touched.received_firsts, touched.received_lasts
        );
    END IF;

    PERFORM public.link_lone_orders(orders, times)
    FROM (
        SELECT
            array_agg(DISTINCT public.label(order_id)) FILTER (WHERE order_id <> '') AS orders,
            array_agg(DISTINCT event_timestamp) FILTER (WHERE visitor IS NULL AND coalesce(order_id, '') = '') AS times
        FROM changed
        WHERE event_name = 'checkout_complete' AND NOT is_bot AND (visitor IS NULL OR order_id <> '')
    ) AS lone
    WHERE orders IS NOT NULL OR times IS NOT NULL;

    -- Of whom a day may have become a flood, or be none any more: who has as many events in the sessions around, and whose
    -- marks do not fit.
    IF sign = 1 THEN
        SELECT array_agg(visitor) INTO heavy
        FROM unnest(touched.visitors, touched.firsts, touched.lasts) AS region (visitor, first, last)
        CROSS JOIN LATERAL (
            SELECT sum(session.events) AS events
            FROM public.sessions AS session
            WHERE session.visitor = region.visitor
              AND (visitor, category, brand, started_at) >= (region.visitor, '', '', first - interval '3 days')
              AND (visitor, category, brand, started_at) <= (region.visitor, '', '', last + interval '2 days')
            OFFSET 0
        ) AS around
        WHERE events > most;
        SELECT array_agg(visitor) AS visitors, array_agg(day) AS days INTO suspects
        FROM (
            SELECT visitor, (event_timestamp AT TIME ZONE zone)::date AS day
            FROM changed
            WHERE heavy IS NOT NULL AND visitor IN (SELECT unnest(heavy)) AND NOT is_bot AND flood IS NULL
            UNION
            SELECT visitor, (event_timestamp AT TIME ZONE zone)::date
            FROM changed
            WHERE flood AND NOT is_bot AND NOT EXISTS (
                SELECT FROM public.flood_days AS day
                WHERE day.visitor = changed.visitor AND event_timestamp >= day.starts AND event_timestamp < day.ends
            )
        ) AS day;
    ELSE
        SELECT array_agg(visitor) AS visitors, array_agg(day) AS days INTO suspects
        FROM (
            SELECT DISTINCT visitor, (event_timestamp AT TIME ZONE zone)::date AS day
            FROM changed
            WHERE flood AND NOT is_bot
        ) AS day;
    END IF;
    IF suspects.visitors IS NOT NULL THEN
        PERFORM public.check_floods(suspects.visitors, suspects.days);
    END IF;
    -- After the sessions, because a product's day may have had nothing left but purchases.
    IF sign = -1 THEN
        DELETE FROM public.hourly_pages WHERE pages = 0;
        DELETE FROM public.daily_products WHERE (views, carts, purchases) = (0, 0, 0)
            AND day IN (SELECT (event_timestamp AT TIME ZONE zone)::date FROM changed);
    END IF;
    RETURN NULL;
END
$$;

REVOKE ALL ON FUNCTION public.follow_events FROM PUBLIC;
