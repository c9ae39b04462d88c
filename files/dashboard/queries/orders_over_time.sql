-- The numbers of order_totals.sql by hour or day, the empty ones included. Of today only what has begun is shown.
-- Parameters: the filters' six; $7 'hour' or 'day'.
-- Columns: bucket (local time, 'YYYY-MM-DD HH24:MI'), orders, units, revenue, average_order_value, currency.
WITH params AS NOT MATERIALIZED (
    SELECT
        filters.*, $7::text AS unit, settings.currency, filters.category <> '' OR filters.brand <> '' AS by_item
    FROM filters
    CROSS JOIN public.model_settings AS settings
),
sold AS (
    SELECT made.login_state, '' AS category, '' AS brand, made.currency, made.units, made.total AS amount,
        made.visitor, made.at, made.order_id
    FROM public.orders AS made
    CROSS JOIN params
    WHERE NOT params.by_item AND made.at >= params.starts AND made.at < params.ends
    UNION ALL
    SELECT item.login_state, item.category, item.brand, item.currency, item.quantity, item.amount,
        item.visitor, item.at, item.order_id
    FROM public.order_items AS item
    CROSS JOIN params
    WHERE params.by_item AND item.at >= params.starts AND item.at < params.ends
),
by_order AS (
    SELECT
        date_trunc(params.unit, sold.at AT TIME ZONE params.time_zone) AS bucket,
        sum(sold.units) AS units,
        sum(sold.amount) FILTER (WHERE sold.currency IN ('', params.currency)) AS amount
    FROM sold
    CROSS JOIN params
    WHERE params.login_state IN ('', sold.login_state)
      AND params.category IN ('', sold.category) AND params.brand IN ('', sold.brand)
    GROUP BY 1, sold.visitor, sold.at, sold.order_id
),
counted AS (
    SELECT bucket, count(*) AS orders, sum(units)::bigint AS units, sum(amount) AS revenue, count(amount) AS valued
    FROM by_order
    GROUP BY bucket
)
SELECT
    to_char(bucket, 'YYYY-MM-DD HH24:MI') AS bucket, coalesce(orders, 0) AS orders, coalesce(units, 0) AS units,
    coalesce(revenue, 0)::double precision AS revenue,
    (revenue / nullif(valued, 0))::double precision AS average_order_value, params.currency
FROM (
    SELECT generate_series(
        params.first_day::timestamp,
        least((params.last_day + 1)::timestamp - ('1 ' || params.unit)::interval, now() AT TIME ZONE params.time_zone),
        ('1 ' || params.unit)::interval
    ) AS bucket
    FROM params
) AS every_bucket
FULL JOIN counted USING (bucket)
CROSS JOIN params
ORDER BY bucket
