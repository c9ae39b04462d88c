-- What the filters by category and brand offer: each category and brand that an event or product was seen with, and
-- each pair of both.
-- Parameters: none.
-- Columns: category, brand ('' in one of them: the other by itself).
SELECT category, brand FROM public.daily_sessions GROUP BY category, brand HAVING category <> '' OR brand <> ''
UNION
SELECT label.category, label.brand
FROM public.products AS product
CROSS JOIN LATERAL (
    VALUES (product.category, ''), ('', product.brand), (product.category, product.brand)
) AS label (category, brand)
WHERE label.category <> '' OR label.brand <> ''
ORDER BY category, brand
