-- Which fields of a product an event knows: a sum of 1 (name), 2 (category), 4 (brand), 8 (price), 16 (discount price) and
-- 32 (path), and 64 if its identity is verified. An event with a price knows the discount too: it has one, or there is none.
-- 0 where it knows no field.
-- An index of clickstream_events stores its results: whoever changes this function reindexes in a migration.
CREATE OR REPLACE FUNCTION public.known_fields(
    name text, category text, brand text, price numeric, discount_price numeric, url_path text, verified boolean
) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN (
    CASE WHEN name <> '' THEN 1 ELSE 0 END + CASE WHEN category <> '' THEN 2 ELSE 0 END
    + CASE WHEN brand <> '' THEN 4 ELSE 0 END
    + CASE WHEN price IS NOT NULL THEN 24 WHEN discount_price IS NOT NULL THEN 16 ELSE 0 END
    + CASE WHEN url_path <> '' THEN 32 ELSE 0 END
    + CASE
        WHEN verified AND (name <> '' OR category <> '' OR brand <> '' OR price IS NOT NULL OR discount_price IS NOT NULL
            OR url_path <> '') THEN 64
        ELSE 0
    END
)::smallint;

REVOKE ALL ON FUNCTION public.known_fields FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.known_fields TO clickstream_loader;
