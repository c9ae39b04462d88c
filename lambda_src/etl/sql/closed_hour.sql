SELECT objects, keys_hash
FROM public.etl_closed_hours
WHERE hour = %(hour)s
