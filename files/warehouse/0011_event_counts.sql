-- A text as a label: '' for none, and no longer than 200 characters: an index holds 2,700 bytes.
CREATE FUNCTION public.label(text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN left(coalesce($1, ''), 200);

-- An index of the events calls it (below), as whoever writes a row.
GRANT EXECUTE ON FUNCTION public.label(text) TO clickstream_loader;

-- Events counted, bots apart: one row per cell, each event in exactly one cell of each table.
CREATE TABLE public.hourly_events (
    hour        timestamptz NOT NULL,
    login_state text        NOT NULL,
    category    text        NOT NULL,
    brand       text        NOT NULL,
    events      bigint      NOT NULL,
    PRIMARY KEY (hour, login_state, category, brand)
) WITH (fillfactor = 80);

CREATE TABLE public.daily_events (
    day         date   NOT NULL,
    event_name  text   NOT NULL,
    login_state text   NOT NULL,
    category    text   NOT NULL,
    brand       text   NOT NULL,
    events      bigint NOT NULL,
    PRIMARY KEY (day, event_name, login_state, category, brand)
) WITH (fillfactor = 80);

-- Views and carts are counted by event. Purchases are counted from sessions (0012).
CREATE TABLE public.daily_products (
    day         date   NOT NULL,
    product_id  text   NOT NULL,
    login_state text   NOT NULL,
    views       bigint NOT NULL DEFAULT 0,
    carts       bigint NOT NULL DEFAULT 0,
    purchases   bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (day, product_id, login_state)
) WITH (fillfactor = 80);

-- Bots too.
CREATE TABLE public.daily_loads (
    day         date     NOT NULL,
    is_bot      boolean  NOT NULL,
    lag_bucket  smallint NOT NULL,
    events      bigint   NOT NULL,
    PRIMARY KEY (day, is_bot, lag_bucket)
) WITH (fillfactor = 80);

-- What the newest event that names a product says of it.
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

COMMENT ON TABLE public.hourly_events IS 'Events by hour of the time zone''s clock (the instant at which it begins).';
COMMENT ON TABLE public.daily_events IS 'Events by day of the time zone (model_settings).';
COMMENT ON TABLE public.daily_products IS 'What happened to a product on a day.';
COMMENT ON TABLE public.daily_loads IS 'Events by day and by how long they took into the warehouse.';
COMMENT ON COLUMN public.daily_loads.lag_bucket IS
    'loaded_at - event_timestamp: 0 = under 15 minutes, then from 15, 30, 60 minutes, 2, 6 hours, 1 day (= 6) on.';
COMMENT ON TABLE public.products IS 'What the newest event that names a product says of it.';

GRANT SELECT ON public.hourly_events, public.daily_events, public.daily_products, public.daily_loads, public.products
    TO clickstream_reader;

-- Finds out again what these products are.
CREATE FUNCTION public.find_products(ids text[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    INSERT INTO public.products
    SELECT newest.*
    FROM unnest(ids) AS id
    CROSS JOIN LATERAL (
        SELECT
            id, public.label(context_product_name), public.label(context_product_category),
            public.label(context_product_brand), context_product_price, context_product_discount_price,
            context_product_url_path, event_timestamp, event_id
        FROM public.clickstream_events
        WHERE public.label(context_product_id) = id AND context_product_name IS NOT NULL AND NOT is_bot
        ORDER BY event_timestamp DESC, event_id DESC
        LIMIT 1
    ) AS newest
    ON CONFLICT DO NOTHING
$$;

CREATE INDEX clickstream_events_product_idx
    ON public.clickstream_events (public.label(context_product_id), event_timestamp)
    WHERE context_product_name IS NOT NULL AND NOT is_bot;
