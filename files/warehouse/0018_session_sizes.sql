-- Sessions by length and by depth without counting sessions whenever somebody asks.

-- Who loads meanwhile would go on by the functions of before.
LOCK TABLE public.clickstream_events IN SHARE MODE;

-- The class of nine that a session belongs to, from 0 on.
CREATE FUNCTION public.session_length(started_at timestamptz, ended_at timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    -- In seconds; extract() takes five times as long.
    width_bucket(date_part('epoch', ended_at - started_at), '{0.000001, 10, 30, 60, 180, 600, 1800, 3600}');

CREATE FUNCTION public.session_depth(page_views integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    width_bucket(page_views::double precision, '{1, 2, 3, 4, 6, 11, 21, 51}');

CREATE FUNCTION public.add_counts(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    ARRAY[
        a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7], a[8] + b[8],
        a[9] + b[9]
    ];

ALTER TABLE public.daily_sessions
    ADD COLUMN lengths bigint[] NOT NULL DEFAULT '{0,0,0,0,0,0,0,0,0}',
    ADD COLUMN depths  bigint[] NOT NULL DEFAULT '{0,0,0,0,0,0,0,0,0}';

COMMENT ON COLUMN public.daily_sessions.lengths IS
    'Sessions by the time from their first event to their last: none, below 10, 30 s, 1, 3, 10, 30 min, 1 h, and longer.';
COMMENT ON COLUMN public.daily_sessions.depths IS
    'Sessions by their page views: 0, 1, 2, 3, 4 or 5, to 10, to 20, to 50, and more.';

-- As in 0012, and lengths and depths.
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
            sign * count(*) FILTER (WHERE page_views <= 1),
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

    WITH bought AS (
        INSERT INTO public.daily_products AS present (day, product_id, login_state, purchases)
        SELECT (purchase.at AT TIME ZONE zone)::date, product_id, login_state, sign * count(*)
        FROM unnest(visitors, firsts) AS tail (visitor, first)
        JOIN public.purchases AS purchase ON purchase.visitor = tail.visitor AND purchase.started_at >= tail.first
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

-- All of them again.
TRUNCATE public.daily_sessions;
UPDATE public.daily_products SET purchases = 0 WHERE purchases <> 0;
SELECT public.count_sessions(1, array_agg(visitor), array_agg(timestamptz '-infinity'))
FROM (SELECT DISTINCT visitor FROM public.sessions WHERE category = '' AND brand = '') AS everybody;
