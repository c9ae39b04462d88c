-- The chunk's labels that count as "(other)".
SELECT number
FROM etl_labels AS sent
LEFT JOIN LATERAL (
    SELECT day
    FROM public.labels AS present
    WHERE present.kind = sent.kind AND present.value = public.label(sent.value)
    OFFSET 0
) AS known ON true
WHERE known.day IS NULL OR known.day > sent.day
