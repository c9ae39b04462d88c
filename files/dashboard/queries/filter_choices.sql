-- What the filters by category and brand offer: all that sessions had to do with, or that products are of.
-- Parameters: none.
-- Columns: kind ('category' or 'brand'), value.
SELECT 'category' AS kind, category AS value FROM public.daily_sessions WHERE brand = '' AND category <> ''
UNION
SELECT 'brand', brand FROM public.daily_sessions WHERE category = '' AND brand <> ''
UNION
SELECT named.kind, named.value
FROM public.products AS product
CROSS JOIN LATERAL (VALUES ('category', product.category), ('brand', product.brand)) AS named (kind, value)
WHERE named.value <> ''
ORDER BY kind DESC, value
