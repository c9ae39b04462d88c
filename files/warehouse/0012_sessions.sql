-- Sessions: the events of one visitor, bots apart, with no gap of more than 30 minutes.
-- One row per session with category = '' and brand = '': the session itself. And one for each category, each brand, and
-- each pair of both of which it has a product's event: a filter by category or brand reads these.
CREATE TABLE public.sessions (
    visitor                   bigint      NOT NULL,
    category                  text        NOT NULL,
    brand                     text        NOT NULL,
    started_at                timestamptz NOT NULL,
    ended_at                  timestamptz NOT NULL,
    login_state               text        NOT NULL,
    events                    integer     NOT NULL,
    page_views                integer     NOT NULL,
    carted                    boolean     NOT NULL,
    purchased                 boolean     NOT NULL,
    view_at                   timestamptz,
    cart_at                   timestamptz,
    checkout_at               timestamptz,
    purchase_at               timestamptz,
    previous_at               timestamptz,
    previous_in_state_at      timestamptz,
    viewed_before_at          timestamptz,
    viewed_before_in_state_at timestamptz,
    received_first            timestamptz NOT NULL,
    received_last             timestamptz NOT NULL,
    PRIMARY KEY (visitor, category, brand, started_at)
);

CREATE INDEX sessions_started_at_idx
    ON public.sessions (category, brand, started_at)
    INCLUDE (login_state, ended_at, page_views, previous_at, previous_in_state_at);

-- Sessions in the funnel, for its visitors.
CREATE INDEX sessions_view_idx
    ON public.sessions (category, brand, started_at)
    INCLUDE (login_state, visitor, view_at, viewed_before_at, viewed_before_in_state_at)
    WHERE view_at IS NOT NULL;

-- Sessions that reached the funnel's second step: what times between steps are read from.
CREATE INDEX sessions_cart_idx
    ON public.sessions (category, brand, started_at)
    INCLUDE (login_state, view_at, cart_at, checkout_at, purchase_at)
    WHERE cart_at IS NOT NULL;

COMMENT ON TABLE public.sessions IS
    'Sessions (category = '''' and brand = ''''), and each again for the categories and brands that it has to do with.';
COMMENT ON COLUMN public.sessions.login_state IS
    'logged_in if it was at any time, else guest, else anonymous, else empty.';
COMMENT ON COLUMN public.sessions.events IS 'Of the whole session, like page_views, purchased and ended_at.';
COMMENT ON COLUMN public.sessions.carted IS 'Whether a product (of the category, of the brand) was put into the cart.';
COMMENT ON COLUMN public.sessions.view_at IS
    'The first product_view; then each step''s first time after the step before: the ordered funnel. Views and carts '
    'are those of the category and brand; checkouts are the session''s.';
COMMENT ON COLUMN public.sessions.previous_at IS
    'When the visitor''s session before began, among those of this category and brand: NULL for a new visitor. Distinct '
    'visitors of a period are its sessions whose previous one began before the period.';
COMMENT ON COLUMN public.sessions.previous_in_state_at IS 'The same among those of this login_state too.';
COMMENT ON COLUMN public.sessions.viewed_before_at IS
    'When the visitor''s last session before that has a view_at began, among those of this category and brand: as '
    'previous_at, for those who entered the funnel.';
COMMENT ON COLUMN public.sessions.viewed_before_in_state_at IS 'The same among those of this login_state too.';

-- The funnel's later steps by themselves: visitors go through them in several sessions.
CREATE TABLE public.funnel_events (
    visitor     bigint      NOT NULL,
    started_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    step        smallint    NOT NULL CHECK (step BETWEEN 2 AND 4),
    login_state text        NOT NULL,
    category    text        NOT NULL,
    brand       text        NOT NULL
);

CREATE INDEX funnel_events_visitor_idx ON public.funnel_events (visitor, started_at);
CREATE INDEX funnel_events_step_idx ON public.funnel_events (step, started_at);

COMMENT ON TABLE public.funnel_events IS
    'add_to_cart_click (2), checkout_start (3) and checkout_complete (4) events. started_at, login_state: the session''s.';

-- What was bought: the product that a checkout_complete names; where it names none, the products that were put into
-- the cart in the same session before it, since the completion before, and not taken out again.
CREATE TABLE public.purchases (
    visitor     bigint      NOT NULL,
    started_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    login_state text        NOT NULL,
    product_id  text        NOT NULL
);

CREATE INDEX purchases_visitor_idx ON public.purchases (visitor, started_at);

COMMENT ON TABLE public.purchases IS 'Products bought, one row per checkout_complete and product.';

-- Sums over sessions that began on a day.
CREATE TABLE public.daily_sessions (
    day                date   NOT NULL,
    login_state        text   NOT NULL,
    category           text   NOT NULL,
    brand              text   NOT NULL,
    sessions           bigint NOT NULL,
    visitors           bigint NOT NULL,
    visitors_in_state  bigint NOT NULL,
    new_visitors       bigint NOT NULL,
    bounces            bigint NOT NULL,
    seconds            numeric NOT NULL,
    events             bigint NOT NULL,
    page_views         bigint NOT NULL,
    cart_sessions      bigint NOT NULL,
    purchase_sessions  bigint NOT NULL,
    funnel_views       bigint NOT NULL,
    funnel_carts       bigint NOT NULL,
    funnel_checkouts   bigint NOT NULL,
    funnel_purchases   bigint NOT NULL,
    PRIMARY KEY (category, brand, day, login_state)
) WITH (fillfactor = 80);

COMMENT ON TABLE public.daily_sessions IS 'Sums over the sessions that began on a day.';
COMMENT ON COLUMN public.daily_sessions.visitors IS
    'Sessions that are their visitor''s first of the day: summed over login states, distinct visitors of the day.';
COMMENT ON COLUMN public.daily_sessions.visitors_in_state IS 'Distinct visitors of the day in this login state.';
COMMENT ON COLUMN public.daily_sessions.bounces IS 'Sessions with one page view at most.';

GRANT SELECT ON public.sessions, public.funnel_events, public.purchases, public.daily_sessions TO clickstream_reader;

-- The funnel's step that an event name is; NULL for the others.
CREATE FUNCTION public.funnel_step(event_name text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE event_name
        WHEN 'product_view' THEN 1 WHEN 'add_to_cart_click' THEN 2
        WHEN 'checkout_start' THEN 3 WHEN 'checkout_complete' THEN 4
    END;

-- funnel(step, at ORDER BY at, step): when each step was first reached after the step before; four times, or NULLs.
CREATE FUNCTION public.funnel_reach(times timestamptz[], step smallint, at timestamptz) RETURNS timestamptz[]
LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
BEGIN
    IF times[step] IS NULL AND (step = 1 OR times[step - 1] IS NOT NULL) THEN
        times[step] := at;
    END IF;
    RETURN times;
END
$$;

CREATE AGGREGATE public.funnel (step smallint, at timestamptz) (
    SFUNC = public.funnel_reach, STYPE = timestamptz[], INITCOND = '{NULL,NULL,NULL,NULL}', PARALLEL = SAFE
);

-- Adds (sign = 1) or takes away (sign = -1) what these visitors' sessions from `firsts` on are in the daily tables.
CREATE FUNCTION public.count_sessions(sign integer, visitors bigint[], firsts timestamptz[]) RETURNS void
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
            sign * count(view_at), sign * count(cart_at), sign * count(checkout_at), sign * count(purchase_at)
        FROM (
            SELECT
                session.*,
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
            funnel_purchases  = present.funnel_purchases + excluded.funnel_purchases
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
