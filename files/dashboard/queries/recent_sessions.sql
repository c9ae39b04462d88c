-- The newest 100 sessions that began in the period. Texts are cut at 200 characters.
-- Parameters: the filters' six.
-- Columns: visitor, started_at (these two are session_timeline.sql's parameters: exact, as text), started (local time,
-- 'YYYY-MM-DD HH24:MI:SS'), seconds, events, page_views, login_state, is_new (as in sessions_by_time.sql), carted,
-- purchased, first_page (page_url of the first event), client_id. The newest first.
WITH newest AS (
    SELECT session.*
    FROM public.sessions AS session
    CROSS JOIN filters
    WHERE session.started_at >= filters.starts AND session.started_at < filters.ends
      AND session.category = filters.category AND session.brand = filters.brand
      AND filters.login_state IN ('', session.login_state)
    ORDER BY session.started_at DESC, session.visitor
    LIMIT 100
)
SELECT
    newest.visitor::text AS visitor,
    to_char(newest.started_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') AS started_at,
    to_char(newest.started_at AT TIME ZONE filters.time_zone, 'YYYY-MM-DD HH24:MI:SS') AS started,
    extract(epoch FROM newest.ended_at - newest.started_at)::double precision AS seconds,
    newest.events, newest.page_views, newest.login_state, newest.previous_at IS NULL AS is_new,
    newest.carted, newest.purchased,
    left(first.page_url, 200) AS first_page, left(first.client_id, 200) AS client_id
FROM newest
CROSS JOIN filters
LEFT JOIN LATERAL (
    SELECT stored.page_url, stored.client_id
    FROM public.clickstream_events AS stored
    WHERE stored.visitor = newest.visitor AND stored.event_timestamp = newest.started_at
      AND stored.received_at BETWEEN newest.received_first AND newest.received_last -- only the weeks that hold it
      AND NOT stored.is_bot AND stored.flood IS NULL
    ORDER BY stored.event_id
    LIMIT 1
) AS first ON true
ORDER BY newest.started_at DESC, newest.visitor
