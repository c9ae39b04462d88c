-- Events that were there before the chunk: a copy that was accepted earlier takes the row's place,
-- and a reprocessed copy refreshes its own row where it reads differently now.
WITH first_copy AS (
    SELECT DISTINCT ON (event_id) *
    FROM etl_staging
    ORDER BY event_id, received_at, source_object, source_position
)
UPDATE public.clickstream_events AS stored
SET (
    event_timestamp, event_name, user_id, user_login_state, identity_source, client_id, session_id,
    is_first_visit, context_product_id, context_product_name, context_product_category,
    context_product_brand, context_product_price, context_product_discount_price,
    context_product_url_path, page_url, referrer, element, identity_verified,
    event_timestamp_source, received_at, source_object, source_position
) = (
    staged.event_timestamp, staged.event_name, staged.user_id, staged.user_login_state,
    staged.identity_source, staged.client_id, staged.session_id, staged.is_first_visit,
    staged.context_product_id, staged.context_product_name, staged.context_product_category,
    staged.context_product_brand, staged.context_product_price,
    staged.context_product_discount_price, staged.context_product_url_path, staged.page_url,
    staged.referrer, staged.element, staged.identity_verified, staged.event_timestamp_source,
    staged.received_at, staged.source_object, staged.source_position
)
FROM first_copy AS staged
WHERE stored.event_id = staged.event_id
  AND (
      (staged.received_at, staged.source_object, staged.source_position)
      < (stored.received_at, stored.source_object, stored.source_position)
      OR (
          %(reprocess)s
          AND (staged.source_object, staged.source_position)
          = (stored.source_object, stored.source_position)
          AND (
              staged.event_timestamp, staged.event_name, staged.user_id, staged.user_login_state,
              staged.identity_source, staged.client_id, staged.session_id, staged.is_first_visit,
              staged.context_product_id, staged.context_product_name,
              staged.context_product_category, staged.context_product_brand,
              staged.context_product_price, staged.context_product_discount_price,
              staged.context_product_url_path, staged.page_url, staged.referrer, staged.element,
              staged.identity_verified, staged.event_timestamp_source, staged.received_at
          ) IS DISTINCT FROM (
              stored.event_timestamp, stored.event_name, stored.user_id, stored.user_login_state,
              stored.identity_source, stored.client_id, stored.session_id, stored.is_first_visit,
              stored.context_product_id, stored.context_product_name,
              stored.context_product_category, stored.context_product_brand,
              stored.context_product_price, stored.context_product_discount_price,
              stored.context_product_url_path, stored.page_url, stored.referrer, stored.element,
              stored.identity_verified, stored.event_timestamp_source, stored.received_at
          )
      )
  )
