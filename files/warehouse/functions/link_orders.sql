-- Makes the orders of these visitors in sessions from `firsts` on, where there are none now. A cart of an earlier session
-- may name what was bought, so they follow from the visitor's events of a month, and not from a session's.
CREATE OR REPLACE FUNCTION public.link_orders(visitors bigint[], firsts timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = on SET enable_nestloop = off SET jit = off
SET plan_cache_mode = force_custom_plan AS $$
DECLARE
    month CONSTANT interval := '30 days';
    buyers bigint[];
    since timestamptz[];
BEGIN
    SELECT array_agg(visitor), array_agg(first) INTO buyers, since
    FROM unnest(visitors, firsts) AS region (visitor, first)
    WHERE EXISTS (
        SELECT FROM public.funnel_events AS present
        WHERE present.visitor = region.visitor AND present.started_at >= region.first AND step = 4
        OFFSET 0
    );
    IF buyers IS NULL THEN
        RETURN;
    END IF;

    WITH event AS (
        SELECT buyer.visitor, buyer.first, event.*
        FROM unnest(buyers, since) AS buyer (visitor, first)
        CROSS JOIN LATERAL (
            SELECT
                event_id, event_timestamp AS at, event_name AS name,
                public.label(public.or_other(context_product_id, folded & 2)) AS product_id,
                public.label(public.or_other(context_product_category, folded & 4)) AS category,
                public.label(public.or_other(context_product_brand, folded & 8)) AS brand,
                public.paid_price(context_product_price, context_product_discount_price) AS price,
                coalesce(nullif(context_product_quantity, 0), 1) AS quantity,
                public.label(order_id) AS order_id, order_details
            FROM public.clickstream_events AS stored
            WHERE stored.visitor = buyer.visitor
              AND (stored.visitor, stored.event_timestamp) >= (buyer.visitor, buyer.first - month)
              AND received_at >= buyer.first - interval '31 days' -- only the weeks that may hold them
              AND event_name IN ('add_to_cart_click', 'remove_from_cart_click', 'checkout_complete')
              AND NOT is_bot AND flood IS NULL
            OFFSET 0
        ) AS event
        WHERE name <> 'checkout_complete' OR order_id = '' OR NOT public.is_order_copy(order_id, at, event_id)
    ), step AS MATERIALIZED (
        SELECT *, min(at) FILTER (WHERE name = 'checkout_complete') OVER (PARTITION BY visitor ORDER BY at DESC) AS completed_at
        FROM event
    ), completion AS (
        SELECT *, coalesce(jsonb_array_length(order_details -> 'items'), 0) > 0 AS has_items
        FROM step
        WHERE name = 'checkout_complete' AND at >= first
    ), made AS (
        SELECT
            visitor, at, order_id,
            (array_agg((order_details ->> 'total')::numeric ORDER BY event_id)
                FILTER (WHERE order_details ->> 'total' IS NOT NULL))[1] AS total,
            coalesce((array_agg(order_details ->> 'currency' ORDER BY event_id)
                FILTER (WHERE order_details ->> 'currency' IS NOT NULL))[1], '') AS currency,
            bool_or(NOT has_items AND product_id = '') AS is_cart
        FROM completion
        GROUP BY visitor, at, order_id
    ), ordered AS MATERIALIZED (
        SELECT made.*, session.started_at, session.login_state
        FROM made
        CROSS JOIN LATERAL (
            SELECT started_at, ended_at, login_state
            FROM public.sessions AS session
            WHERE session.visitor = made.visitor
              AND (visitor, category, brand, started_at) >= (made.visitor, '', '', '-infinity')
              AND (visitor, category, brand, started_at) <= (made.visitor, '', '', made.at)
            ORDER BY visitor DESC, category DESC, brand DESC, started_at DESC
            LIMIT 1
        ) AS session
        WHERE made.at <= ended_at -- else its session is still to be made, by rebuild_model()
    ), cart AS (
        -- What was put into the cart for each completion: of each product as much as since it was last taken out.
        SELECT *, max(at) FILTER (WHERE name = 'remove_from_cart_click') OVER (
            PARTITION BY visitor, completed_at, product_id
        ) AS removed_at
        FROM step
        WHERE name <> 'checkout_complete' AND product_id <> '' AND at >= completed_at - month
    ), item AS (
        SELECT
            visitor, at, order_id,
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
            SELECT DISTINCT ON (visitor, at, order_id, product_id)
                visitor, at, order_id, product_id, category, brand, quantity, price, event_id, 0
            FROM completion
            WHERE NOT has_items AND product_id <> ''
            ORDER BY visitor, at, order_id, product_id, event_id
        )
        UNION ALL
        SELECT visitor, completed_at, bought.order_id, product_id, cart.category, cart.brand, quantity, price, cart.event_id,
            (-1000000 * extract(epoch FROM cart.at))::bigint -- the last one says of what category and brand it is
        FROM cart
        JOIN (SELECT visitor, at AS completed_at, order_id FROM ordered WHERE is_cart) AS bought USING (visitor, completed_at)
        WHERE name = 'add_to_cart_click' AND cart.at > coalesce(removed_at, '-infinity')
    ), line AS MATERIALIZED (
        SELECT
            visitor, at, order_id, product_id,
            (array_agg(category ORDER BY place, event_id))[1] AS category,
            (array_agg(brand ORDER BY place, event_id))[1] AS brand,
            sum(quantity) AS quantity, sum(price * quantity) AS amount
        FROM item
        GROUP BY visitor, at, order_id, product_id,
            CASE WHEN product_id = '' THEN category END, CASE WHEN product_id = '' THEN brand END
    ), new_items AS (
        INSERT INTO public.order_items
        SELECT visitor, started_at, at, login_state, order_id, currency, product_id, category, brand, quantity, amount
        FROM line
        JOIN ordered USING (visitor, at, order_id)
    )
    INSERT INTO public.orders
    SELECT visitor, started_at, at, login_state, order_id, coalesce(total, amount), currency, coalesce(units, 0)
    FROM ordered
    LEFT JOIN (
        SELECT visitor, at, order_id, sum(quantity) AS units, sum(amount) AS amount FROM line GROUP BY visitor, at, order_id
    ) AS summed USING (visitor, at, order_id);
END
$$;

REVOKE ALL ON FUNCTION public.link_orders FROM PUBLIC;
