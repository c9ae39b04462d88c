-- The model (sessions, products and all counts) is what a count over the events gives, at every commit: a trigger on the
-- events keeps it so, whoever changes them.

-- The time zone whose days and hours are counted by. Change it by set_time_zone().
CREATE TABLE public.model_settings (
    only_row  boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    time_zone text    NOT NULL
);

INSERT INTO public.model_settings (time_zone) VALUES ('Asia/Ho_Chi_Minh');

GRANT SELECT ON public.model_settings TO clickstream_reader;

-- The events of a statement ("changed") come into the model (argument 1) or leave it (-1). An update is both: what was
-- leaves, what is comes.
CREATE FUNCTION public.follow_events() RETURNS trigger
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
        SELECT date_trunc('hour', event_timestamp, zone) AS hour, public.label(event_name) AS event_name,
            public.label(user_login_state) AS login_state, public.label(context_product_category) AS category,
            public.label(context_product_brand) AS brand, sign * count(*) AS events
        FROM changed
        WHERE NOT is_bot
        GROUP BY 1, 2, 3, 4, 5
    ), hourly AS (
        INSERT INTO public.hourly_events AS present
        SELECT hour, login_state, category, brand, sum(events)
        FROM cell
        GROUP BY hour, login_state, category, brand
        ORDER BY hour, login_state, category, brand
        ON CONFLICT (hour, login_state, category, brand) DO UPDATE SET events = present.events + excluded.events
    )
    INSERT INTO public.daily_events AS present
    SELECT (hour AT TIME ZONE zone)::date AS day, event_name, login_state, category, brand, sum(events)
    FROM cell
    GROUP BY day, event_name, login_state, category, brand
    ORDER BY day, event_name, login_state, category, brand
    ON CONFLICT (day, event_name, login_state, category, brand) DO UPDATE SET events = present.events + excluded.events;

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

    INSERT INTO public.daily_loads AS present
    SELECT (event_timestamp AT TIME ZONE zone)::date, is_bot,
        width_bucket(
            extract(epoch FROM loaded_at - event_timestamp)::double precision,
            ARRAY[900, 1800, 3600, 7200, 21600, 86400]::double precision[]
        ),
        sign * count(*)
    FROM changed
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT (day, is_bot, lag_bucket) DO UPDATE SET events = present.events + excluded.events;

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

CREATE TRIGGER follow_inserted AFTER INSERT ON public.clickstream_events
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('1');
CREATE TRIGGER follow_deleted AFTER DELETE ON public.clickstream_events
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('-1');
CREATE TRIGGER follow_updated_from AFTER UPDATE ON public.clickstream_events
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('-1');
CREATE TRIGGER follow_updated_to AFTER UPDATE ON public.clickstream_events
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION public.follow_events('1');

CREATE FUNCTION public.clear_model() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    TRUNCATE public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products,
        public.sessions, public.funnel_events, public.purchases, public.daily_sessions;
    RETURN NULL;
END
$$;

CREATE TRIGGER follow_truncated AFTER TRUNCATE ON public.clickstream_events
    FOR EACH STATEMENT EXECUTE FUNCTION public.clear_model();

-- Makes the model anew from all events, a week of receipt at a time.
CREATE FUNCTION public.rebuild_model() RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET client_min_messages = warning AS $$
DECLARE
    partition regclass;
BEGIN
    LOCK TABLE public.clickstream_events IN SHARE MODE;
    TRUNCATE public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products,
        public.sessions, public.funnel_events, public.purchases, public.daily_sessions;
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

-- Counts by the days and hours of another time zone from now on.
CREATE FUNCTION public.set_time_zone(zone text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_timezone_names WHERE name = zone) THEN
        RAISE EXCEPTION 'There is no time zone "%". Fix: name it as IANA does, like Asia/Ho_Chi_Minh.', zone;
    END IF;
    UPDATE public.model_settings SET time_zone = zone WHERE time_zone <> zone;
    IF FOUND THEN
        PERFORM public.rebuild_model();
    END IF;
END
$$;

REVOKE ALL ON FUNCTION public.follow_events, public.clear_model, public.rebuild_model, public.set_time_zone, public.build_sessions,
    public.add_sessions, public.delete_sessions, public.link_sessions, public.count_sessions, public.find_products
    FROM PUBLIC;

SELECT public.rebuild_model();
