-- The step of the funnel that an event name stands for; NULL for other names.
CREATE OR REPLACE FUNCTION public.funnel_step(event_name text) RETURNS smallint
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    CASE event_name
        WHEN 'product_view' THEN 1 WHEN 'add_to_cart_click' THEN 2
        WHEN 'checkout_start' THEN 3 WHEN 'checkout_complete' THEN 4
    END;

REVOKE ALL ON FUNCTION public.funnel_step FROM PUBLIC;
