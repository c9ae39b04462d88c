-- The days of the chunk's labels, in their order; none if no label is new, or earlier than it is known to be.
WITH sent AS (
    SELECT kind, day, public.label(value) AS value, source_object, position
    FROM etl_labels
)
SELECT DISTINCT day::text
FROM etl_labels
WHERE EXISTS (
    SELECT
    FROM sent
    LEFT JOIN LATERAL (
        SELECT day, source_object, position
        FROM public.labels AS present
        WHERE present.kind = sent.kind AND present.value = sent.value
        OFFSET 0 -- keeps the subquery apart: one index lookup per label
    ) AS known ON true
    WHERE known.day IS NULL
       OR (known.day, known.source_object, known.position) > (sent.day, sent.source_object, sent.position)
)
ORDER BY day
