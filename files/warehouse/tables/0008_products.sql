-- Products: what they are, what happened to them on a day, and what was bought.

CREATE TABLE public.products (
    product_id      text PRIMARY KEY,
    name            text           NOT NULL,
    category        text           NOT NULL,
    brand           text           NOT NULL,
    price           numeric(16, 2),
    discount_price  numeric(16, 2),
    url_path        text,
    event_timestamp timestamptz    NOT NULL,
    event_id        uuid           NOT NULL
);

-- Views and carts are counted by event. Purchases are counted from sessions.
CREATE TABLE public.daily_products (
    day         date   NOT NULL,
    product_id  text   NOT NULL,
    login_state text   NOT NULL,
    views       bigint NOT NULL DEFAULT 0,
    carts       bigint NOT NULL DEFAULT 0,
    purchases   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, product_id, login_state)
) WITH (fillfactor = 80);

-- The product that a checkout_complete names. Where it names none: the products that were put into the cart in the same
-- session before it, since the completion before, and not taken out again.
CREATE TABLE public.purchases (
    visitor     bigint      NOT NULL,
    started_at  timestamptz NOT NULL,
    at          timestamptz NOT NULL,
    login_state text        NOT NULL,
    product_id  text        NOT NULL
);

CREATE INDEX purchases_visitor_idx ON public.purchases (visitor, started_at);

COMMENT ON TABLE public.products IS 'What the newest event that names a product says of it.';
COMMENT ON TABLE public.daily_products IS 'What happened to a product on a day.';
COMMENT ON TABLE public.purchases IS 'Products bought, one row per checkout_complete and product.';

GRANT SELECT ON public.products, public.daily_products, public.purchases TO clickstream_reader;
