-- One session, event by event, whatever the filters.
-- Parameters: the filters' six; $7 visitor, $8 started_at (both as recent_sessions.sql gives them).
-- Columns: at (local time, 'YYYY-MM-DD HH24:MI:SS'), seconds (since the session began), event_name, page_url, referrer,
-- product_id, product_name, category, brand, price, element (what was clicked: its text, else id, else tag),
-- login_state, user_id. In the order in which it happened.
SELECT
    to_char(stored.event_timestamp AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS at,
    extract(epoch FROM stored.event_timestamp - session.started_at)::double precision AS seconds,
    stored.event_name, stored.page_url, stored.referrer,
    stored.context_product_id AS product_id, stored.context_product_name AS product_name,
    stored.context_product_category AS category, stored.context_product_brand AS brand,
    stored.context_product_price::double precision AS price,
    coalesce(
        nullif(stored.element ->> 'text', ''), nullif(stored.element ->> 'id', ''), stored.element ->> 'tag'
    ) AS element,
    stored.user_login_state AS login_state, stored.user_id
FROM public.sessions AS session
CROSS JOIN filters
JOIN public.clickstream_events AS stored
    ON stored.visitor = session.visitor
    AND stored.event_timestamp BETWEEN session.started_at AND session.ended_at
    AND stored.received_at BETWEEN session.received_first AND session.received_last -- only the weeks that hold it
    AND NOT stored.is_bot
WHERE session.visitor = $7::bigint AND session.started_at = $8::timestamptz
  AND session.category = '' AND session.brand = ''
ORDER BY stored.event_timestamp, stored.event_id
