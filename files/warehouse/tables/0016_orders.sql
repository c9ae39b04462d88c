-- Orders and what was bought with them. They take the place of `purchases`.
LOCK TABLE public.clickstream_events IN SHARE MODE;

ALTER TABLE public.clickstream_events ADD COLUMN order_id text, ADD COLUMN order_details jsonb;

-- The first copy of an order.
CREATE INDEX clickstream_events_order_idx
    ON public.clickstream_events (public.label(order_id), event_timestamp, event_id)
    WHERE order_id <> '' AND event_name = 'checkout_complete' AND NOT is_bot AND flood IS NULL;

-- Orders without a person.
CREATE INDEX clickstream_events_lone_order_idx
    ON public.clickstream_events (event_timestamp)
    WHERE event_name = 'checkout_complete' AND visitor IS NULL AND NOT is_bot AND flood IS NULL;

-- A visitor's carts and completions, which may be a month apart.
CREATE INDEX clickstream_events_cart_idx
    ON public.clickstream_events (visitor, event_timestamp)
    WHERE event_name IN ('add_to_cart_click', 'remove_from_cart_click', 'checkout_complete')
        AND NOT is_bot AND flood IS NULL;

-- An order is a checkout_complete; several without an order id at one instant are one. An order id counts once: of several
-- copies, whosever they are, the earliest is the order. link_orders() writes both tables, and link_lone_orders() what has no
-- visitor.
CREATE TABLE public.orders (
    visitor     bigint,
    started_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    login_state text        NOT NULL,
    order_id    text        NOT NULL,
    total       numeric,
    currency    text        NOT NULL,
    units       bigint      NOT NULL
);

CREATE INDEX orders_visitor_idx ON public.orders (visitor, started_at);
CREATE INDEX orders_at_idx ON public.orders (at);
CREATE INDEX orders_lone_idx ON public.orders (order_id, at) WHERE visitor IS NULL;
CREATE INDEX orders_order_id_idx ON public.orders (order_id) WHERE order_id <> '';

-- The items that the order names; without any, the product that the event names; without one, what the visitor has put into
-- the cart since the completion before, in 30 days at most, and not taken out again.
CREATE TABLE public.order_items (
    visitor     bigint,
    started_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    login_state text        NOT NULL,
    order_id    text        NOT NULL,
    currency    text        NOT NULL,
    product_id  text        NOT NULL,
    category    text        NOT NULL,
    brand       text        NOT NULL,
    quantity    bigint      NOT NULL,
    amount      numeric
);

CREATE INDEX order_items_visitor_idx ON public.order_items (visitor, started_at);
CREATE INDEX order_items_lone_idx ON public.order_items (order_id, at) WHERE visitor IS NULL;
CREATE INDEX order_items_at_idx ON public.order_items (at);

DROP TABLE public.purchases;

ALTER TABLE public.model_settings ADD COLUMN currency text NOT NULL DEFAULT 'VND' CHECK (currency ~ '^[A-Z]{3}$');

COMMENT ON COLUMN public.clickstream_events.order_id IS 'The order''s id.';
COMMENT ON COLUMN public.clickstream_events.order_details IS
    'The order''s total, currency and items: id, name, category, brand, price, discount_price, quantity; numbers as text. '
    '`folded`: which of an item''s labels count as "(other)".';
COMMENT ON COLUMN public.clickstream_events.folded IS
    'The labels that count as "(other)": a sum of kinds (labels.kind), and 16 if an item''s do. NULL where none does.';
COMMENT ON TABLE public.orders IS
    'Orders. started_at, login_state: the session''s; without a visitor (NULL) the event''s, and there is no session.';
COMMENT ON COLUMN public.orders.order_id IS 'Empty where none was sent.';
COMMENT ON COLUMN public.orders.total IS 'As sent; without one, of the items; NULL where no price is known.';
COMMENT ON COLUMN public.orders.currency IS 'As sent; empty where none was: the platform''s (model_settings).';
COMMENT ON COLUMN public.order_items.amount IS 'Price (after discount) by quantity; NULL where no price is known.';
COMMENT ON COLUMN public.model_settings.currency IS 'Orders in another are not summed. set_currency() changes it.';

GRANT SELECT ON public.orders, public.order_items TO clickstream_reader;

SELECT set_config('warehouse_schema.afterwards', 'SELECT public.rebuild_model()', true);
