-- Compares a verification's events with the warehouse's rows, by value, and counts what the model makes of them.
-- expected: JSON array of rows with columns of the event contract; PostgreSQL converts each value to its column's type.
-- prefix: what the client ids of the verification begin with.
WITH expected AS (
    SELECT e.event_id,
        (e.event_timestamp, e.event_name, e.user_id, e.user_login_state, e.identity_source, e.client_id, e.session_id,
         e.is_first_visit, e.context_product_id, e.context_product_name, e.context_product_category, e.context_product_brand,
         e.context_product_price, e.context_product_discount_price, e.context_product_url_path,
         e.order_id, e.order_details ->> 'total', e.order_details ->> 'currency',
         -- `folded` is the loader's own.
         jsonb_path_query_array(e.order_details, '$.items[*].keyvalue() ? (@.key <> "folded").value'))::text AS payload
    FROM jsonb_populate_recordset(NULL::public.clickstream_events, %(expected)s::jsonb) AS e
), found AS (
    SELECT e.event_id, e.visitor,
        (e.event_timestamp, e.event_name, e.user_id, e.user_login_state, e.identity_source, e.client_id, e.session_id,
         e.is_first_visit, e.context_product_id, e.context_product_name, e.context_product_category, e.context_product_brand,
         e.context_product_price, e.context_product_discount_price, e.context_product_url_path,
         e.order_id, e.order_details ->> 'total', e.order_details ->> 'currency',
         -- `folded` is the loader's own.
         jsonb_path_query_array(e.order_details, '$.items[*].keyvalue() ? (@.key <> "folded").value'))::text AS payload
    FROM public.clickstream_events AS e
    WHERE starts_with(e.client_id, %(prefix)s)
), pages AS (
    SELECT coalesce(sum(page_views), 0)::bigint AS pages
    FROM public.sessions
    WHERE visitor IN (SELECT visitor FROM found) AND category = '' AND brand = ''
), bought AS (
    SELECT count(*) AS orders, coalesce(sum(units), 0)::bigint AS units, coalesce(sum(total), 0)::bigint AS revenue
    FROM public.orders
    WHERE visitor IN (SELECT visitor FROM found)
)
SELECT
    (SELECT count(*) FROM expected) AS expected,
    (SELECT count(*) FROM found) AS found,
    (SELECT count(*) FROM expected JOIN found USING (event_id, payload)) AS equal,
    (SELECT pages FROM pages),
    (SELECT orders FROM bought),
    (SELECT units FROM bought),
    (SELECT revenue FROM bought),
    (SELECT min(expected.payload || ' is ' || found.payload)
     FROM expected JOIN found USING (event_id) WHERE expected.payload <> found.payload) AS first_difference;
