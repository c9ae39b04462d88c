COPY etl_staging (
    event_id, event_timestamp, event_name, user_id, user_login_state, identity_source, client_id,
    session_id, is_first_visit, context_product_id, context_product_name, context_product_category,
    context_product_brand, context_product_price, context_product_discount_price,
    context_product_url_path, page_url, referrer, element, context_product_quantity,
    order_id, order_details, identity_verified,
    event_timestamp_source, is_bot, received_at, source_object, source_position
) FROM STDIN WITH (NULL '')
