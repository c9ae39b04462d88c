-- What is known of a product is known per field: the newest known value of each. A poorer event takes nothing away.
LOCK TABLE public.clickstream_events IN SHARE MODE;

-- The newest event of a product for each set of fields that events know of it; `products` is made of these rows. Of
-- events whose identity is not verified the oldest too: what they have changed is a finding. follow_events() writes them.
CREATE TABLE public.product_facts (
    product_id      text        NOT NULL,
    known           smallint    NOT NULL,
    name            text        NOT NULL,
    category        text        NOT NULL,
    brand           text        NOT NULL,
    price           numeric(16, 2),
    discount_price  numeric(16, 2),
    url_path        text,
    event_timestamp timestamptz NOT NULL,
    event_id        uuid        NOT NULL,
    PRIMARY KEY (product_id, known)
);

ALTER TABLE public.products DROP COLUMN event_timestamp, DROP COLUMN event_id;

-- The newest event that knows the same fields of a product.
DROP INDEX public.clickstream_events_product_idx;
CREATE INDEX clickstream_events_product_idx
    ON public.clickstream_events (
        public.label(context_product_id),
        public.known_fields(
            context_product_name, context_product_category, context_product_brand, context_product_price,
            context_product_discount_price, context_product_url_path, identity_verified
        ),
        event_timestamp
    )
    WHERE context_product_id <> '' AND NOT is_bot;

COMMENT ON TABLE public.product_facts IS
    'What the newest event that knows these fields of a product says of them, and the oldest unverified one.';
COMMENT ON COLUMN public.product_facts.known IS
    'The fields, as known_fields() has them; 128 more for the oldest event.';
COMMENT ON TABLE public.products IS 'The newest known value of each field of a product; empty or NULL where none is known.';
COMMENT ON COLUMN public.products.discount_price IS
    'The price after discount; NULL if there is none: where the newest is 0 or not below the price, and where an event '
    'has a price and no discount.';

GRANT SELECT ON public.product_facts TO clickstream_reader;

SELECT set_config('warehouse_schema.afterwards', 'SELECT public.rebuild_model()', true);
