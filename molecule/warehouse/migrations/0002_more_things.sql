INSERT INTO public.things VALUES (1, '100 % of it'), (2, 'a second statement');
CREATE FUNCTION public.how_many() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.things';
