-- New events. Of copies within the chunk the first accepted one. In the order of event_id, so that
-- no two loaders can wait for each other in a circle.
INSERT INTO public.clickstream_events (
    event_id, event_timestamp, event_name, user_id, user_login_state, identity_source, client_id,
    session_id, is_first_visit, context_product_id, context_product_name, context_product_category,
    context_product_brand, context_product_price, context_product_discount_price,
    context_product_url_path, page_url, referrer, element, identity_verified,
    event_timestamp_source, received_at, source_object, source_position
)
SELECT DISTINCT ON (event_id)
    event_id, event_timestamp, event_name, user_id, user_login_state, identity_source, client_id,
    session_id, is_first_visit, context_product_id, context_product_name, context_product_category,
    context_product_brand, context_product_price, context_product_discount_price,
    context_product_url_path, page_url, referrer, element, identity_verified,
    event_timestamp_source, received_at, source_object, source_position
FROM etl_staging
ORDER BY event_id, received_at, source_object, source_position
ON CONFLICT (event_id) DO NOTHING
