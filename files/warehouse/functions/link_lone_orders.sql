-- Makes anew the orders without a person: events without client, user or session id. Those with these order ids (`orders`),
-- and those without an order id at these times. No cart says what was bought.
CREATE OR REPLACE FUNCTION public.link_lone_orders(orders text[], times timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET jit = off SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    zone text;
    days date[];
BEGIN
    SELECT time_zone INTO zone FROM public.model_settings;
    DELETE FROM public.orders AS present
    WHERE visitor IS NULL AND (order_id <> '' AND order_id = ANY (orders) OR order_id = '' AND at = ANY (times));
    WITH gone AS (
        DELETE FROM public.order_items AS present
        WHERE visitor IS NULL AND (order_id <> '' AND order_id = ANY (orders) OR order_id = '' AND at = ANY (times))
        RETURNING (at AT TIME ZONE zone)::date AS day, product_id, login_state
    ), fewer AS (
        UPDATE public.daily_products AS present
        SET purchases = purchases - bought
        FROM (SELECT day, product_id, login_state, count(*) AS bought FROM gone GROUP BY 1, 2, 3) AS less
        WHERE (present.day, present.product_id, present.login_state) = (less.day, less.product_id, less.login_state)
        RETURNING present.day
    )
    SELECT array_agg(DISTINCT day) INTO days FROM fewer;

    WITH completion AS MATERIALIZED (
        SELECT
            event_id, event_timestamp AS at, public.label(order_id) AS order_id, public.label(public.login_state(user_login_state, identity_verified)) AS login_state,
            order_details, coalesce(jsonb_array_length(order_details -> 'items'), 0) > 0 AS has_items,
            public.label(public.or_other(context_product_id, folded & 2)) AS product_id,
            public.label(public.or_other(context_product_category, folded & 4)) AS category,
            public.label(public.or_other(context_product_brand, folded & 8)) AS brand,
            public.paid_price(context_product_price, context_product_discount_price) AS price,
            coalesce(nullif(context_product_quantity, 0), 1) AS quantity
        FROM (
            SELECT first.*
            FROM unnest(orders) AS sought (id)
            CROSS JOIN LATERAL (
                SELECT *
                FROM public.clickstream_events
                WHERE public.label(order_id) = sought.id AND order_id <> '' AND event_name = 'checkout_complete'
                  AND NOT is_bot AND flood IS NULL
                ORDER BY event_timestamp, event_id
                LIMIT 1
            ) AS first
            UNION ALL
            SELECT same.*
            FROM unnest(times) AS sought (at)
            CROSS JOIN LATERAL (
                SELECT *
                FROM public.clickstream_events
                WHERE event_timestamp = sought.at AND event_name = 'checkout_complete' AND visitor IS NULL
                  AND coalesce(order_id, '') = '' AND NOT is_bot AND flood IS NULL
            ) AS same
        ) AS found
        WHERE visitor IS NULL
    ), made AS (
        SELECT
            at, order_id, (array_agg(login_state ORDER BY event_id))[1] AS login_state,
            (array_agg((order_details ->> 'total')::numeric ORDER BY event_id)
                FILTER (WHERE order_details ->> 'total' IS NOT NULL))[1] AS total,
            coalesce((array_agg(order_details ->> 'currency' ORDER BY event_id)
                FILTER (WHERE order_details ->> 'currency' IS NOT NULL))[1], '') AS currency
        FROM completion
        GROUP BY at, order_id
    ), item AS (
        SELECT
            at, order_id,
            public.label(public.or_other(item ->> 'id', (item ->> 'folded')::integer & 2)) AS product_id,
            public.label(public.or_other(item ->> 'category', (item ->> 'folded')::integer & 4)) AS category,
            public.label(public.or_other(item ->> 'brand', (item ->> 'folded')::integer & 8)) AS brand,
            coalesce(nullif((item ->> 'quantity')::bigint, 0), 1) AS quantity,
            public.paid_price((item ->> 'price')::numeric, (item ->> 'discount_price')::numeric) AS price,
            event_id, place
        FROM completion
        CROSS JOIN LATERAL jsonb_array_elements(order_details -> 'items') WITH ORDINALITY AS listed (item, place)
        WHERE has_items
        UNION ALL
        (
            SELECT DISTINCT ON (at, order_id, product_id)
                at, order_id, product_id, category, brand, quantity, price, event_id, 0
            FROM completion
            WHERE NOT has_items AND product_id <> ''
            ORDER BY at, order_id, product_id, event_id
        )
    ), line AS MATERIALIZED (
        SELECT
            at, order_id, product_id,
            (array_agg(category ORDER BY place, event_id))[1] AS category,
            (array_agg(brand ORDER BY place, event_id))[1] AS brand,
            sum(quantity) AS quantity, sum(price * quantity) AS amount
        FROM item
        GROUP BY at, order_id, product_id,
            CASE WHEN product_id = '' THEN category END, CASE WHEN product_id = '' THEN brand END
    ), new_items AS (
        INSERT INTO public.order_items
        SELECT NULL, at, at, login_state, order_id, currency, product_id, category, brand, quantity, amount
        FROM line
        JOIN made USING (at, order_id)
        RETURNING (at AT TIME ZONE zone)::date AS day, product_id, login_state
    ), bought AS (
        INSERT INTO public.daily_products AS present (day, product_id, login_state, purchases)
        SELECT day, product_id, login_state, count(*)
        FROM new_items
        WHERE product_id <> ''
        GROUP BY 1, 2, 3
        ORDER BY 1, 2, 3
        ON CONFLICT (day, product_id, login_state) DO UPDATE SET purchases = present.purchases + excluded.purchases
    )
    INSERT INTO public.orders
    SELECT NULL, at, at, login_state, order_id, coalesce(total, amount), currency, coalesce(units, 0)
    FROM made
    LEFT JOIN (
        SELECT at, order_id, sum(quantity) AS units, sum(amount) AS amount FROM line GROUP BY at, order_id
    ) AS summed USING (at, order_id);
    DELETE FROM public.daily_products WHERE (views, carts, purchases) = (0, 0, 0) AND day = ANY (days);
END
$$;

REVOKE ALL ON FUNCTION public.link_lone_orders FROM PUBLIC;
