-- What the shop itself says of its products. It overrules what events say: those anybody can send.
CREATE TABLE public.catalogue (
    id             text PRIMARY KEY CHECK (id <> '' AND length(id) <= 200),
    name           text CHECK (name <> '' AND length(name) <= 200),
    category       text CHECK (category <> '' AND length(category) <= 200),
    brand          text CHECK (brand <> '' AND length(brand) <= 200),
    price          numeric(16, 2) CHECK (price >= 0),
    discount_price numeric(16, 2) CHECK (discount_price > 0),
    cost           numeric(16, 2) CHECK (cost >= 0),
    -- Without a price the events' price stands, and what is a discount of that is not known here.
    CONSTRAINT catalogue_discount_check CHECK (discount_price IS NULL OR coalesce(discount_price < price, false))
);

COMMENT ON TABLE public.catalogue IS
    'The shop''s products. What is NULL here is what events say. playbooks/catalogue.yml fills it.';
COMMENT ON COLUMN public.catalogue.id IS 'The product''s id, as events have it.';
COMMENT ON COLUMN public.catalogue.discount_price IS 'The price after discount; NULL beside a price: there is none.';
COMMENT ON COLUMN public.catalogue.cost IS 'What one costs the shop.';
COMMENT ON TABLE public.products IS
    'Products: of each field what the catalogue says, else the newest known value, of a verified event if there is one; '
    'empty or NULL where none is known.';

GRANT SELECT ON public.catalogue TO clickstream_reader;

-- known_fields() takes whether an event is verified.
SELECT set_config('warehouse_schema.afterwards', 'SELECT public.rebuild_model()', true);
