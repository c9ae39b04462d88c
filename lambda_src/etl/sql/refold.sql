-- Stored rows of a day follow what the chunk changed: those with a label that was admitted are among the folded ones,
-- those with a label that was pushed out are in its first object or later. Place 0 is the row, the others are its order's
-- items.
WITH changed AS MATERIALIZED (
    SELECT kind, value, pushed FROM etl_changed_labels WHERE day = %(day)s
), touched AS MATERIALIZED (
    SELECT
        event_id, received_at, folded, order_details, place,
        sum(kind)::integer AS named, coalesce(sum(kind) FILTER (WHERE pushed), 0)::integer AS pushed
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
            (1::smallint, event_name, 0::bigint), (2, context_product_id, 0), (4, context_product_category, 0),
            (8, context_product_brand, 0)
        UNION ALL
        SELECT label.kind, label.sent, listed.place
        FROM jsonb_array_elements(order_details -> 'items') WITH ORDINALITY AS listed (item, place)
        CROSS JOIN LATERAL (
            VALUES (2::smallint, listed.item ->> 'id'), (4, listed.item ->> 'category'), (8, listed.item ->> 'brand')
        ) AS label (kind, sent)
    ) AS own (kind, sent, place)
    JOIN changed USING (kind)
    WHERE changed.value = public.label(own.sent)
      -- Most of a flood's rows have none of these labels: they are not taken apart.
      AND (
          order_details IS NOT NULL
          OR public.label(event_name) IN (SELECT value FROM changed WHERE kind = 1)
          OR public.label(context_product_id) IN (SELECT value FROM changed WHERE kind = 2)
          OR public.label(context_product_category) IN (SELECT value FROM changed WHERE kind = 4)
          OR public.label(context_product_brand) IN (SELECT value FROM changed WHERE kind = 8)
      )
      AND NOT is_bot
      AND received_at >= %(day)s::timestamp AT TIME ZONE 'UTC'
      AND received_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
    GROUP BY event_id, received_at, folded, order_details, place
), item AS (
    SELECT
        event_id, listed.place, listed.item - 'folded' AS item,
        coalesce((listed.item ->> 'folded')::integer, 0) & ~coalesce(named, 0) | coalesce(pushed, 0) AS bits
    FROM (SELECT DISTINCT event_id, order_details FROM touched WHERE place > 0) AS ordered
    CROSS JOIN LATERAL jsonb_array_elements(order_details -> 'items') WITH ORDINALITY AS listed (item, place)
    LEFT JOIN touched USING (event_id, place)
), marked AS (
    SELECT
        event_id, bool_or(bits <> 0) AS is_folded,
        jsonb_agg(
            CASE bits WHEN 0 THEN item ELSE item || jsonb_build_object('folded', bits::text) END ORDER BY place
        ) AS items
    FROM item
    GROUP BY event_id
), refolded AS (
    SELECT
        event_id, received_at,
        nullif(
            coalesce(folded, 0)
            & ~(coalesce(named, 0) | CASE WHEN NOT is_folded THEN 16 ELSE 0 END)
            | coalesce(pushed, 0) | CASE WHEN is_folded THEN 16 ELSE 0 END,
            0
        )::smallint AS folded,
        CASE WHEN items IS NULL THEN order_details ELSE jsonb_set(order_details, '{items}', items) END AS order_details
    FROM (
        SELECT
            event_id, received_at, folded, order_details,
            sum(named) FILTER (WHERE place = 0)::integer AS named,
            sum(pushed) FILTER (WHERE place = 0)::integer AS pushed
        FROM touched
        GROUP BY event_id, received_at, folded, order_details
    ) AS event
    LEFT JOIN marked USING (event_id)
)
UPDATE public.clickstream_events AS stored
SET folded = refolded.folded, order_details = refolded.order_details
FROM refolded
WHERE stored.received_at = refolded.received_at
  AND stored.received_at >= %(day)s::timestamp AT TIME ZONE 'UTC' -- only the week that holds the day
  AND stored.received_at < (%(day)s::date + 1)::timestamp AT TIME ZONE 'UTC'
  AND stored.event_id = refolded.event_id
  AND (stored.folded, stored.order_details) IS DISTINCT FROM (refolded.folded, refolded.order_details)
