-- One session, event by event, whatever the filters: its first 500 events, texts cut at 200 characters, because anybody can
-- send more.
-- Parameters: the filters' six; $7 visitor, $8 started_at (both as recent_sessions.sql gives them).
-- Columns: at (local time, 'YYYY-MM-DD HH24:MI:SS'), seconds (since the session began), event_name, page_url, referrer,
-- product_id, product_name, category, brand, price, element (what was clicked: its text, else id, else tag),
-- login_state, user_id. In the order in which it happened.
SELECT
    to_char(stored.event_timestamp AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS at,
    extract(epoch FROM stored.event_timestamp - session.started_at)::double precision AS seconds,
    stored.event_name, left(stored.page_url, 200) AS page_url, left(stored.referrer, 200) AS referrer,
    left(stored.context_product_id, 200) AS product_id, left(stored.context_product_name, 200) AS product_name,
    left(stored.context_product_category, 200) AS category, left(stored.context_product_brand, 200) AS brand,
    stored.context_product_price::double precision AS price,
    left(
        coalesce(nullif(stored.element ->> 'text', ''), nullif(stored.element ->> 'id', ''), stored.element ->> 'tag'), 200
    ) AS element,
    CASE WHEN identity_verified AND user_login_state = 'logged_in' THEN 'verified' ELSE user_login_state END AS login_state,
    left(stored.user_id, 200) AS user_id
FROM public.sessions AS session
CROSS JOIN filters
JOIN public.clickstream_events AS stored
    ON stored.visitor = session.visitor
    AND stored.event_timestamp BETWEEN session.started_at AND session.ended_at
    AND stored.received_at BETWEEN session.received_first AND session.received_last -- only the weeks that hold it
    AND NOT stored.is_bot AND stored.flood IS NULL
WHERE session.visitor = $7::bigint AND session.started_at = $8::timestamptz
  AND session.category = '' AND session.brand = ''
ORDER BY stored.event_timestamp, stored.event_id
LIMIT 500
