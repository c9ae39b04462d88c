CREATE OR REPLACE FUNCTION public.how_many() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.things';
