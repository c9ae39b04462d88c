-- What role catalogue writes.
CREATE TABLE public.catalogue (
    id text PRIMARY KEY, name text, category text, brand text,
    price numeric(16, 2), discount_price numeric(16, 2), cost numeric(16, 2)
);

INSERT INTO public.things VALUES (1, '100 % of it'), (2, 'a second statement');
