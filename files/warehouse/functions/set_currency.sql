-- Changes the currency that orders are summed in. Nothing is counted by it ahead.
CREATE OR REPLACE FUNCTION public.set_currency(code text) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp AS $$
    UPDATE public.model_settings SET currency = code WHERE currency <> code
$$;

REVOKE ALL ON FUNCTION public.set_currency FROM PUBLIC;
