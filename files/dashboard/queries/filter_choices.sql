-- What the filters by category and brand offer: what sessions had to do with, or products are of. Every page holds this
-- list, and anybody can invent names: of each kind the ones with most sessions, as long as they take 8,000 bytes together.
-- Parameters: none.
-- Columns: kind ('category' or 'brand'), value.
WITH named AS (
    SELECT 'category' AS kind, category AS value, sum(sessions) AS sessions
    FROM public.daily_sessions
    WHERE brand = '' AND category <> ''
    GROUP BY category
    UNION ALL
    SELECT 'brand', brand, sum(sessions) FROM public.daily_sessions WHERE category = '' AND brand <> '' GROUP BY brand
    UNION ALL
    SELECT DISTINCT label.kind, label.value, 0
    FROM public.products AS product
    CROSS JOIN LATERAL (VALUES ('category', product.category), ('brand', product.brand)) AS label (kind, value)
    WHERE label.value <> ''
),
ranked AS (
    SELECT
        kind, value,
        -- An entry is there twice, as value and as text; signs that HTML escapes take up to six bytes.
        sum(octet_length(value) + 5 * length(regexp_replace(value, '[^<>&"'']', '', 'g')))
            OVER (PARTITION BY kind ORDER BY sum(sessions) DESC, value) AS bytes
    FROM named
    GROUP BY kind, value
)
SELECT kind, value
FROM ranked
WHERE bytes <= 8000
ORDER BY kind DESC, value
