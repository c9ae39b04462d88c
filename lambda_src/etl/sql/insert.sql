-- New events: those whose id is new. In the order of event_id, so that no two loaders can wait for each other in a
-- circle, and so that the index is walked once.
WITH fresh AS (
    INSERT INTO public.clickstream_event_ids (event_id, received_at)
    SELECT event_id, received_at
    FROM etl_staging
    ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
)
INSERT INTO public.clickstream_events (
    event_id, event_timestamp, event_name, user_id, user_login_state, identity_source, client_id,
    session_id, is_first_visit, context_product_id, context_product_name, context_product_category,
    context_product_brand, context_product_price, context_product_discount_price,
    context_product_url_path, page_url, referrer, element, identity_verified,
    event_timestamp_source, is_bot, received_at, source_object, source_position
)
SELECT
    event_id, event_timestamp, event_name, user_id, user_login_state, identity_source, client_id,
    session_id, is_first_visit, context_product_id, context_product_name, context_product_category,
    context_product_brand, context_product_price, context_product_discount_price,
    context_product_url_path, page_url, referrer, element, identity_verified,
    event_timestamp_source, is_bot, received_at, source_object, source_position
FROM etl_staging
JOIN fresh USING (event_id)
