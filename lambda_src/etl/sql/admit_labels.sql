-- Admits the chunk's new labels of a day: of that day's labels, those that are there already included, the first ones of
-- each kind, up to the limit. A label that is known from an earlier day stands as it is; one of a later day is of this day
-- now, if there is room. Notes what was admitted, and what was pushed out by an earlier one.
WITH sent AS MATERIALIZED (
    SELECT DISTINCT ON (kind, value) kind, value, source_object, position
    FROM (
        SELECT kind, public.label(value) AS value, source_object, position
        FROM etl_labels
        WHERE day = %(day)s
    ) AS cut
    ORDER BY kind, value, source_object, position
), new AS MATERIALIZED (
    SELECT sent.*
    FROM sent
    LEFT JOIN LATERAL (
        SELECT day, source_object, position
        FROM public.labels AS present
        WHERE present.kind = sent.kind AND present.value = sent.value
        OFFSET 0
    ) AS known ON true
    WHERE known.day IS NULL
       OR (known.day, known.source_object, known.position) > (%(day)s, sent.source_object, sent.position)
), ranked AS MATERIALIZED (
    SELECT
        kind, value, source_object, position, is_new,
        -- An order's items have one place.
        row_number() OVER (PARTITION BY kind ORDER BY source_object, position, value COLLATE "C") AS place
    FROM (
        -- By sorting, and not by a join: the planner takes the new ones for few.
        SELECT DISTINCT ON (kind, value) *
        FROM (
            SELECT *, true AS is_new FROM new
            UNION ALL
            SELECT kind, value, source_object, position, false
            FROM public.labels
            WHERE day = %(day)s AND kind IN (SELECT kind FROM new)
        ) AS of_the_day
        ORDER BY kind, value, is_new DESC
    ) AS of_the_day
), limits AS (
    SELECT kind, most
    FROM unnest(%(kinds)s::smallint[], %(limits)s::integer[]) AS given (kind, most)
), pushed AS (
    DELETE FROM public.labels AS label
    USING ranked
    JOIN limits USING (kind)
    WHERE label.kind = ranked.kind AND label.value = ranked.value AND label.day = %(day)s AND place > most
    RETURNING label.*
), admitted AS (
    INSERT INTO public.labels AS present (kind, value, day, source_object, position)
    SELECT kind, value, %(day)s, source_object, position
    FROM ranked
    JOIN limits USING (kind)
    WHERE is_new AND place <= most
    ON CONFLICT (kind, value) DO UPDATE
    SET day = excluded.day, source_object = excluded.source_object, position = excluded.position
    RETURNING present.*
)
INSERT INTO etl_changed_labels (kind, value, day, source_object, pushed)
SELECT kind, value, day, source_object, true FROM pushed
UNION ALL
SELECT kind, value, day, source_object, false FROM admitted
