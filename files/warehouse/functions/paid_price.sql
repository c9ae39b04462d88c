-- What one costs: the price after discount, if there is one. 0, or not below the price, is no discount.
CREATE OR REPLACE FUNCTION public.paid_price(price numeric, discount_price numeric) RETURNS numeric
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE WHEN discount_price > 0 AND (price IS NULL OR discount_price < price) THEN discount_price ELSE price END;

REVOKE ALL ON FUNCTION public.paid_price FROM PUBLIC;
