-- Sessions: the events of one visitor, bots left out, with no gap of more than 30 minutes. build_sessions() writes them.

-- One row per session with category = '' and brand = '': the session itself. One more row for each category, each brand
-- and each pair of both of which it has a product's event: a filter by category or brand reads these rows.
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
CREATE INDEX sessions_viewed_idx
    ON public.sessions (category, brand, started_at)
    INCLUDE (login_state, viewed_before_at, viewed_before_in_state_at)
    WHERE view_at IS NOT NULL;

-- Sessions that reached the funnel's second step: the times between steps are read from these.
CREATE INDEX sessions_cart_idx
    ON public.sessions (category, brand, started_at)
    INCLUDE (login_state, view_at, cart_at, checkout_at, purchase_at)
    WHERE cart_at IS NOT NULL;

-- Sums over sessions that began on a day. Sessions by length and by depth are counted here, so that nobody who asks for
-- them has to count sessions.
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
    lengths            bigint[] NOT NULL DEFAULT '{0,0,0,0,0,0,0,0,0}',
    depths             bigint[] NOT NULL DEFAULT '{0,0,0,0,0,0,0,0,0}',
    PRIMARY KEY (category, brand, day, login_state)
) WITH (fillfactor = 80);

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
COMMENT ON TABLE public.daily_sessions IS 'Sums over the sessions that began on a day.';
COMMENT ON COLUMN public.daily_sessions.visitors IS
    'Sessions that are their visitor''s first of the day: summed over login states, distinct visitors of the day.';
COMMENT ON COLUMN public.daily_sessions.visitors_in_state IS 'Distinct visitors of the day in this login state.';
COMMENT ON COLUMN public.daily_sessions.bounces IS 'Sessions with one page view at most.';
COMMENT ON COLUMN public.daily_sessions.lengths IS
    'Sessions by the time from their first event to their last: none, below 10, 30 s, 1, 3, 10, 30 min, 1 h, and longer.';
COMMENT ON COLUMN public.daily_sessions.depths IS
    'Sessions by their page views: 0, 1, 2, 3, 4 or 5, to 10, to 20, to 50, and more.';

GRANT SELECT ON public.sessions, public.daily_sessions TO clickstream_reader;
