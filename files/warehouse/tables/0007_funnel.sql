-- The funnel by visitor: view, cart, checkout, purchase, in one session or across several.

-- The later steps by themselves, for visitors who go through them in several sessions. add_sessions() writes them.
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

-- One scan of this table answers for all visitors, for a category or brand, and by them: each cart that may be a
-- visitor's first of a period knows which view led to it and what followed. link_funnel() writes it.
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

COMMENT ON TABLE public.funnel_events IS
    'add_to_cart_click (2), checkout_start (3) and checkout_complete (4) events. started_at, login_state: the session''s.';
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

GRANT SELECT ON public.funnel_events, public.funnel_paths TO clickstream_reader;
