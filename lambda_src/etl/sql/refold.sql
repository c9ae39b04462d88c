-- Stored rows of a day follow what the chunk changed: those with a label that was admitted are among the folded ones,
-- those with a label that was pushed out are in its first object or later.
WITH changed AS MATERIALIZED (
    SELECT kind, value, pushed FROM etl_changed_labels WHERE day = %(day)s
), refolded AS (
    SELECT
        event_id, received_at,
        nullif(
            coalesce(folded, 0) & ~sum(kind)::integer | coalesce(sum(kind) FILTER (WHERE pushed), 0)::integer, 0
        )::smallint AS folded
    FROM (
        SELECT * FROM public.clickstream_events WHERE folded IS NOT NULL
        UNION ALL
        SELECT *
        FROM public.clickstream_events
        WHERE folded IS NULL
          AND (SELECT bool_or(pushed) FROM changed)
          AND source_object >= (
              SELECT min(source_object) FROM etl_changed_labels WHERE day = %(day)s AND pushed
          )
    ) AS stored
    CROSS JOIN LATERAL (
        VALUES
            (1::smallint, event_name), (2, context_product_id), (4, context_product_category), (8, context_product_brand)
    ) AS own (kind, sent)
    JOIN changed USING (kind)
    WHERE changed.value = public.label(own.sent)
      AND NOT is_bot
      AND received_at >= %(day)s::timestamp AT TIME ZONE 'UTC'
      AND received_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY event_id, received_at, folded
)
UPDATE public.clickstream_events AS stored
SET folded = refolded.folded
FROM refolded
WHERE stored.received_at = refolded.received_at
  AND stored.received_at >= %(day)s::timestamp AT TIME ZONE 'UTC' -- only the week that holds the day
  AND stored.received_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
  AND stored.event_id = refolded.event_id
  AND stored.folded IS DISTINCT FROM refolded.folded
