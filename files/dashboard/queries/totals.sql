-- The numbers of a period: of the sessions that began in it, and their visitors. Page views: the pages seen in the
-- period; with a category or brand all those of the sessions that have to do with it, as a page names no product. Rates are
-- of the sessions, 0 to 1; NULL where there are none.
-- Parameters: the filters' six.
-- Columns: visitors, sessions, page_views, purchase_sessions, cart_sessions, bounces, conversion_rate, cart_rate,
-- bounce_rate, mean_seconds. One row.
WITH summed AS (
    SELECT
        coalesce(sum(daily.sessions), 0)::bigint AS sessions,
        coalesce(sum(daily.purchase_sessions), 0)::bigint AS purchase_sessions,
        coalesce(sum(daily.cart_sessions), 0)::bigint AS cart_sessions,
        coalesce(sum(daily.bounces), 0)::bigint AS bounces,
        sum(daily.seconds)::double precision AS seconds,
        coalesce(sum(daily.page_views), 0)::bigint AS page_views
    FROM public.daily_sessions AS daily
    CROSS JOIN filters
    WHERE daily.day BETWEEN filters.first_day AND filters.last_day
      AND daily.category = filters.category AND daily.brand = filters.brand
      AND filters.login_state IN ('', daily.login_state)
),
viewed AS (
    SELECT coalesce(sum(hourly.pages), 0)::bigint AS page_views
    FROM public.hourly_pages AS hourly
    CROSS JOIN filters
    WHERE filters.category = '' AND filters.brand = ''
      AND hourly.hour >= filters.first_day AND hourly.hour < filters.last_day + 1
      AND filters.login_state IN ('', hourly.login_state)
),
-- Each visitor's first session of the period.
visitor AS (
    SELECT count(*) AS visitors
    FROM public.sessions AS session
    CROSS JOIN filters
    WHERE session.started_at >= filters.starts AND session.started_at < filters.ends
      AND session.category = filters.category AND session.brand = filters.brand
      AND filters.login_state IN ('', session.login_state)
      AND coalesce(
          CASE filters.login_state WHEN '' THEN session.previous_at ELSE session.previous_in_state_at END, '-infinity'
      ) < filters.starts
)
SELECT
    visitors, sessions,
    CASE WHEN filters.category = '' AND filters.brand = '' THEN viewed.page_views ELSE summed.page_views END AS page_views,
    purchase_sessions, cart_sessions, bounces,
    purchase_sessions::double precision / nullif(sessions, 0) AS conversion_rate,
    cart_sessions::double precision / nullif(sessions, 0) AS cart_rate,
    bounces::double precision / nullif(sessions, 0) AS bounce_rate,
    seconds / nullif(sessions, 0) AS mean_seconds
FROM summed, viewed, visitor, filters
