INSERT INTO public.things VALUES (1, '100 % of it'), (2, 'a second statement');
