-- Compares a verification's events with the warehouse's rows, by value.
-- expected: JSON array of rows with the event contract's 16 columns; PostgreSQL converts each value to its column's type.
-- prefix: what the client ids of the verification begin with.
WITH expected AS (
    SELECT e.event_id,
        (e.event_timestamp, e.event_name, e.user_id, e.user_login_state, e.identity_source, e.client_id, e.session_id,
         e.is_first_visit, e.context_product_id, e.context_product_name, e.context_product_category, e.context_product_brand,
         e.context_product_price, e.context_product_discount_price, e.context_product_url_path)::text AS payload
    FROM jsonb_populate_recordset(NULL::public.clickstream_events, %(expected)s::jsonb) AS e
), found AS (
    SELECT e.event_id,
        (e.event_timestamp, e.event_name, e.user_id, e.user_login_state, e.identity_source, e.client_id, e.session_id,
         e.is_first_visit, e.context_product_id, e.context_product_name, e.context_product_category, e.context_product_brand,
         e.context_product_price, e.context_product_discount_price, e.context_product_url_path)::text AS payload
    FROM public.clickstream_events AS e
    WHERE starts_with(e.client_id, %(prefix)s)
)
SELECT
    (SELECT count(*) FROM expected) AS expected,
    (SELECT count(*) FROM found) AS found,
    (SELECT count(*) FROM expected JOIN found USING (event_id, payload)) AS equal,
    (SELECT min(expected.payload || ' is ' || found.payload)
     FROM expected JOIN found USING (event_id) WHERE expected.payload <> found.payload) AS first_difference;
