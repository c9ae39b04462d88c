CREATE OR REPLACE FUNCTION public.set_currency(code text) RETURNS void
LANGUAGE sql AS 'UPDATE public.model_settings SET currency = code';
