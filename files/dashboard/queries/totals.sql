-- The numbers of a period: of the sessions that began in it, and their visitors. Page views: the events of the period;
-- with a category or brand all page views of the sessions that have to do with it, as a page names no product. Rates are
-- of the sessions, 0 to 1; NULL where there are none.
-- Parameters: the period's six.
-- Columns: visitors, sessions, page_views, purchase_sessions, cart_sessions, bounces, conversion_rate, cart_rate,
-- bounce_rate, mean_seconds. One row.
WITH asked AS NOT MATERIALIZED (
    SELECT
        $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
        $4::text AS login_state, $5::text AS category, $6::text AS brand,
        $1::timestamp AT TIME ZONE $3 AS starts, ($2 + 1)::timestamp AT TIME ZONE $3 AS ends
),
summed AS (
    SELECT
        coalesce(sum(daily.sessions), 0)::bigint AS sessions,
        coalesce(sum(daily.purchase_sessions), 0)::bigint AS purchase_sessions,
        coalesce(sum(daily.cart_sessions), 0)::bigint AS cart_sessions,
        coalesce(sum(daily.bounces), 0)::bigint AS bounces,
        sum(daily.seconds)::double precision AS seconds,
        coalesce(sum(daily.page_views), 0)::bigint AS page_views
    FROM public.daily_sessions AS daily
    CROSS JOIN asked
    WHERE daily.day BETWEEN asked.first_day AND asked.last_day
      AND daily.category = asked.category AND daily.brand = asked.brand
      AND asked.login_state IN ('', daily.login_state)
),
viewed AS (
    SELECT coalesce(sum(daily.events), 0)::bigint AS page_views
    FROM public.daily_events AS daily
    CROSS JOIN asked
    WHERE asked.category = '' AND asked.brand = ''
      AND daily.event_name = 'page_view'
      AND daily.day BETWEEN asked.first_day AND asked.last_day
      AND asked.login_state IN ('', daily.login_state)
),
-- Each visitor's first session of the period.
visitor AS (
    SELECT count(*) AS visitors
    FROM public.sessions AS session
    CROSS JOIN asked
    WHERE session.started_at >= asked.starts AND session.started_at < asked.ends
      AND session.category = asked.category AND session.brand = asked.brand
      AND asked.login_state IN ('', session.login_state)
      AND coalesce(
          CASE asked.login_state WHEN '' THEN session.previous_at ELSE session.previous_in_state_at END, '-infinity'
      ) < asked.starts
)
SELECT
    visitors, sessions,
    CASE WHEN asked.category = '' AND asked.brand = '' THEN viewed.page_views ELSE summed.page_views END AS page_views,
    purchase_sessions, cart_sessions, bounces,
    purchase_sessions::double precision / nullif(sessions, 0) AS conversion_rate,
    cart_sessions::double precision / nullif(sessions, 0) AS cart_rate,
    bounces::double precision / nullif(sessions, 0) AS bounce_rate,
    seconds / nullif(sessions, 0) AS mean_seconds
FROM summed, viewed, visitor, asked
