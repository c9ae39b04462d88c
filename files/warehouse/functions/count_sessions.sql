-- Adds (sign = 1) or subtracts (sign = -1) these visitors' sessions from `firsts` on, and the purchases and
-- repeated views in them, in the daily and hourly tables.
CREATE OR REPLACE FUNCTION public.count_sessions(sign integer, visitors bigint[], firsts timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    zone text := (SELECT time_zone FROM public.model_settings);
    emptied date[];
BEGIN
    WITH counted AS (
        INSERT INTO public.daily_sessions AS present
        SELECT
            day, login_state, category, brand,
            sign * count(*),
            sign * count(*) FILTER (WHERE previous_day IS NULL OR previous_day < day),
            sign * count(*) FILTER (WHERE previous_day_in_state IS NULL OR previous_day_in_state < day),
            sign * count(*) FILTER (WHERE previous_day IS NULL),
            sign * count(*) FILTER (WHERE bounced),
            sign * sum(extract(epoch FROM ended_at - started_at)),
            sign * sum(events),
            sign * sum(page_views),
            sign * count(*) FILTER (WHERE carted),
            sign * count(*) FILTER (WHERE purchased),
            sign * count(view_at), sign * count(cart_at), sign * count(checkout_at), sign * count(purchase_at),
            ARRAY[
                sign * count(*) FILTER (WHERE length = 0),
                sign * count(*) FILTER (WHERE length = 1),
                sign * count(*) FILTER (WHERE length = 2),
                sign * count(*) FILTER (WHERE length = 3),
                sign * count(*) FILTER (WHERE length = 4),
                sign * count(*) FILTER (WHERE length = 5),
                sign * count(*) FILTER (WHERE length = 6),
                sign * count(*) FILTER (WHERE length = 7),
                sign * count(*) FILTER (WHERE length = 8)
            ],
            ARRAY[
                sign * count(*) FILTER (WHERE depth = 0),
                sign * count(*) FILTER (WHERE depth = 1),
                sign * count(*) FILTER (WHERE depth = 2),
                sign * count(*) FILTER (WHERE depth = 3),
                sign * count(*) FILTER (WHERE depth = 4),
                sign * count(*) FILTER (WHERE depth = 5),
                sign * count(*) FILTER (WHERE depth = 6),
                sign * count(*) FILTER (WHERE depth = 7),
                sign * count(*) FILTER (WHERE depth = 8)
            ]
        FROM (
            SELECT
                session.*,
                public.session_length(started_at, ended_at) AS length, public.session_depth(page_views) AS depth,
                (started_at AT TIME ZONE zone)::date AS day,
                (previous_at AT TIME ZONE zone)::date AS previous_day,
                (previous_in_state_at AT TIME ZONE zone)::date AS previous_day_in_state
            FROM unnest(visitors, firsts) AS tail (visitor, first)
            JOIN public.sessions AS session ON session.visitor = tail.visitor AND session.started_at >= tail.first
        ) AS dated
        GROUP BY day, login_state, category, brand
        ORDER BY day, login_state, category, brand
        ON CONFLICT (category, brand, day, login_state) DO UPDATE SET
            sessions          = present.sessions + excluded.sessions,
            visitors          = present.visitors + excluded.visitors,
            visitors_in_state = present.visitors_in_state + excluded.visitors_in_state,
            new_visitors      = present.new_visitors + excluded.new_visitors,
            bounces           = present.bounces + excluded.bounces,
            seconds           = present.seconds + excluded.seconds,
            events            = present.events + excluded.events,
            page_views        = present.page_views + excluded.page_views,
            cart_sessions     = present.cart_sessions + excluded.cart_sessions,
            purchase_sessions = present.purchase_sessions + excluded.purchase_sessions,
            funnel_views      = present.funnel_views + excluded.funnel_views,
            funnel_carts      = present.funnel_carts + excluded.funnel_carts,
            funnel_checkouts  = present.funnel_checkouts + excluded.funnel_checkouts,
            funnel_purchases  = present.funnel_purchases + excluded.funnel_purchases,
            lengths           = public.add_counts(present.lengths, excluded.lengths),
            depths            = public.add_counts(present.depths, excluded.depths)
        RETURNING day, login_state, category, brand, sessions
    )
    SELECT array_agg(day) INTO emptied FROM counted WHERE sessions = 0;
    IF emptied IS NOT NULL THEN
        DELETE FROM public.daily_sessions WHERE sessions = 0 AND day = ANY (emptied);
    END IF;

    INSERT INTO public.hourly_pages AS present
    SELECT date_trunc('hour', repeated.at AT TIME ZONE zone), login_state, -sign * count(*)
    FROM unnest(visitors, firsts) AS tail (visitor, first)
    JOIN public.repeated_views AS repeated ON repeated.visitor = tail.visitor AND repeated.started_at >= tail.first
    GROUP BY 1, 2
    ORDER BY 1, 2
    ON CONFLICT (hour, login_state) DO UPDATE SET pages = present.pages + excluded.pages;

    WITH bought AS (
        INSERT INTO public.daily_products AS present (day, product_id, login_state, purchases)
        SELECT (item.at AT TIME ZONE zone)::date, product_id, login_state, sign * count(*)
        FROM unnest(visitors, firsts) AS tail (visitor, first)
        JOIN public.order_items AS item ON item.visitor = tail.visitor AND item.started_at >= tail.first
        WHERE product_id <> ''
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        ON CONFLICT (day, product_id, login_state) DO UPDATE SET purchases = present.purchases + excluded.purchases
        RETURNING day, views, carts, purchases
    )
    SELECT array_agg(day) INTO emptied FROM bought WHERE (views, carts, purchases) = (0, 0, 0);
    IF emptied IS NOT NULL THEN
        DELETE FROM public.daily_products WHERE (views, carts, purchases) = (0, 0, 0) AND day = ANY (emptied);
    END IF;
END
$$;

REVOKE ALL ON FUNCTION public.count_sessions FROM PUBLIC;
