-- Corrects stored rows whose event is in the chunk too: by a copy that was accepted earlier, and by a reread copy
-- from the row's own object if a column differs now.
WITH staged AS MATERIALIZED ( -- otherwise the planner would look up every stored row
    SELECT staged.*, known.received_at AS known_at
    FROM etl_staging AS staged
    JOIN public.clickstream_event_ids AS known USING (event_id)
), corrected AS (
    UPDATE public.clickstream_events AS stored
    SET (
        event_timestamp, event_name, user_id, user_login_state, identity_source, client_id, session_id,
        is_first_visit, context_product_id, context_product_name, context_product_category,
        context_product_brand, context_product_price, context_product_discount_price,
        context_product_url_path, page_url, referrer, element, context_product_quantity, order_id, order_details,
        identity_verified, event_timestamp_source, is_bot, received_at, source_object, source_position, folded
    ) = (
        staged.event_timestamp, staged.event_name, staged.user_id, staged.user_login_state,
        staged.identity_source, staged.client_id, staged.session_id, staged.is_first_visit,
        staged.context_product_id, staged.context_product_name, staged.context_product_category,
        staged.context_product_brand, staged.context_product_price,
        staged.context_product_discount_price, staged.context_product_url_path, staged.page_url,
        staged.referrer, staged.element, staged.context_product_quantity, staged.order_id, staged.order_details,
        staged.identity_verified, staged.event_timestamp_source,
        staged.is_bot, staged.received_at, staged.source_object, staged.source_position, staged.folded
    )
    FROM staged
    WHERE stored.received_at = staged.known_at
      AND stored.event_id = staged.event_id
      AND (
          (staged.received_at, staged.source_object, staged.source_position)
          < (stored.received_at, stored.source_object, stored.source_position)
          OR (
              staged.source_object = ANY (%(reread)s)
              AND staged.source_object = stored.source_object
              AND (
                  staged.event_timestamp, staged.event_name, staged.user_id, staged.user_login_state,
                  staged.identity_source, staged.client_id, staged.session_id, staged.is_first_visit,
                  staged.context_product_id, staged.context_product_name,
                  staged.context_product_category, staged.context_product_brand,
                  staged.context_product_price, staged.context_product_discount_price,
                  staged.context_product_url_path, staged.page_url, staged.referrer, staged.element,
                  staged.context_product_quantity, staged.order_id, staged.order_details,
                  staged.identity_verified, staged.event_timestamp_source, staged.is_bot,
                  staged.received_at, staged.source_position, staged.folded
              ) IS DISTINCT FROM (
                  stored.event_timestamp, stored.event_name, stored.user_id, stored.user_login_state,
                  stored.identity_source, stored.client_id, stored.session_id, stored.is_first_visit,
                  stored.context_product_id, stored.context_product_name,
                  stored.context_product_category, stored.context_product_brand,
                  stored.context_product_price, stored.context_product_discount_price,
                  stored.context_product_url_path, stored.page_url, stored.referrer, stored.element,
                  stored.context_product_quantity, stored.order_id, stored.order_details,
                  stored.identity_verified, stored.event_timestamp_source, stored.is_bot,
                  stored.received_at, stored.source_position, stored.folded
              )
          )
      )
    RETURNING stored.event_id, stored.received_at
)
UPDATE public.clickstream_event_ids AS id
SET received_at = corrected.received_at
FROM corrected
WHERE id.event_id = corrected.event_id
  AND id.received_at <> corrected.received_at
