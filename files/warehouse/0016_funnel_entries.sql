-- The funnel by visitor without looking at everybody who viewed something: each later step knows when the session began
-- that last led to it. An event counts in a period that began after the visitor's event of the same step before it
-- could, and not after it could itself: entered_before_at < beginning <= entered_at.

-- Who loads meanwhile would go on by the functions of before.
LOCK TABLE public.clickstream_events IN SHARE MODE;

-- Every row is written once more when its links are known.
ALTER TABLE public.funnel_events SET (fillfactor = 60);
ALTER TABLE public.funnel_events
    ADD COLUMN entered_at                      timestamptz,
    ADD COLUMN entered_before_at               timestamptz,
    ADD COLUMN entered_in_state_at             timestamptz,
    ADD COLUMN entered_before_in_state_at      timestamptz,
    ADD COLUMN view_at                         timestamptz,
    ADD COLUMN viewed_before_at                timestamptz,
    ADD COLUMN view_in_state_at                timestamptz,
    ADD COLUMN viewed_before_in_state_at       timestamptz;

COMMENT ON COLUMN public.funnel_events.entered_at IS
    'When the last session began with a view that leads to this event: for a cart the last one with a view_at until then, '
    'for a checkout that of the last cart until then, for a completion that of the last checkout. NULL where none does.';
COMMENT ON COLUMN public.funnel_events.entered_before_at IS
    'entered_at of the visitor''s event of this step before. The visitors who reached a step in a period are its events '
    'whose entered_at is in the period and whose entered_before_at is before it.';
COMMENT ON COLUMN public.funnel_events.view_at IS 'Of a cart: view_at of the session that began at entered_at.';
COMMENT ON COLUMN public.funnel_events.viewed_before_at IS 'Of a cart: viewed_before_at of that session.';
COMMENT ON COLUMN public.funnel_events.entered_in_state_at IS
    'The columns that end in in_state_at are the same among sessions and events of this login_state.';

-- The views of a visitor, for who got to the cart after several.
CREATE INDEX sessions_viewer_idx
    ON public.sessions (visitor, started_at)
    INCLUDE (view_at, login_state)
    WHERE category = '' AND brand = '' AND view_at IS NOT NULL;

-- Says anew which views led these visitors to which steps, of those who have such steps in sessions from `firsts` on.
CREATE FUNCTION public.link_funnel(visitors bigint[], firsts timestamptz[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
    WITH buyer AS MATERIALIZED (
        SELECT visitor
        FROM unnest(visitors, firsts) AS region (visitor, first)
        WHERE EXISTS (
            SELECT FROM public.funnel_events AS present
            WHERE present.visitor = region.visitor AND present.started_at >= region.first
            OFFSET 0
        )
    ), step AS (
        SELECT later.*, NULL::timestamptz AS started_at, NULL::timestamptz AS viewed_before_at,
            NULL::timestamptz AS viewed_before_in_state_at
        FROM buyer
        CROSS JOIN LATERAL (
            SELECT ctid AS place, visitor, at, step, login_state, category, brand
            FROM public.funnel_events AS present
            WHERE present.visitor = buyer.visitor
            OFFSET 0
        ) AS later
        UNION ALL
        SELECT viewed.*
        FROM buyer
        CROSS JOIN LATERAL (
            SELECT NULL::tid, visitor, view_at, 1, login_state, category, brand, started_at, viewed_before_at,
                viewed_before_in_state_at
            FROM public.sessions AS session
            WHERE session.visitor = buyer.visitor
              AND (visitor, category, brand, started_at) >= (buyer.visitor, '', '', '-infinity')
              AND (visitor, category, brand, started_at) <= (buyer.visitor, '', '', 'infinity')
              AND view_at IS NOT NULL
            OFFSET 0
        ) AS viewed
    ), from_views AS (
        -- What was last is what was greatest: a visitor's sessions do not overlap.
        SELECT *,
            max(started_at) FILTER (WHERE step = 1) OVER own AS by_view,
            max(started_at) FILTER (WHERE step = 1) OVER own_in_state AS by_view_in_state,
            max(at) FILTER (WHERE step = 1) OVER own AS view_at,
            max(at) FILTER (WHERE step = 1) OVER own_in_state AS view_in_state_at,
            max(viewed_before_at) FILTER (WHERE step = 1) OVER own AS last_viewed_before_at,
            max(viewed_before_in_state_at) FILTER (WHERE step = 1) OVER own_in_state AS last_viewed_before_in_state_at
        FROM step
        WINDOW own AS (PARTITION BY visitor ORDER BY at, step),
            own_in_state AS (PARTITION BY visitor, login_state ORDER BY at, step)
    ), from_carts AS (
        SELECT *,
            max(by_view) FILTER (WHERE step = 2) OVER own AS by_cart,
            max(by_view_in_state) FILTER (WHERE step = 2) OVER own_in_state AS by_cart_in_state
        FROM from_views
        WINDOW own AS (PARTITION BY visitor ORDER BY at, step),
            own_in_state AS (PARTITION BY visitor, login_state ORDER BY at, step)
    ), from_checkouts AS (
        SELECT *,
            max(by_cart) FILTER (WHERE step = 3) OVER own AS by_checkout,
            max(by_cart_in_state) FILTER (WHERE step = 3) OVER own_in_state AS by_checkout_in_state
        FROM from_carts
        WINDOW own AS (PARTITION BY visitor ORDER BY at, step),
            own_in_state AS (PARTITION BY visitor, login_state ORDER BY at, step)
    ), entered AS (
        SELECT *,
            CASE step WHEN 2 THEN by_view WHEN 3 THEN by_cart ELSE by_checkout END AS entered_at,
            CASE step WHEN 2 THEN by_view_in_state WHEN 3 THEN by_cart_in_state ELSE by_checkout_in_state END
                AS entered_in_state_at
        FROM from_checkouts
        WHERE step >= 2
    ), linked AS (
        SELECT place, entered_at, entered_in_state_at,
            lag(entered_at) OVER (PARTITION BY visitor, step ORDER BY at, category, brand, place) AS entered_before_at,
            lag(entered_in_state_at) OVER (
                PARTITION BY visitor, login_state, step ORDER BY at, category, brand, place
            ) AS entered_before_in_state_at,
            CASE step WHEN 2 THEN view_at END AS view_at,
            CASE step WHEN 2 THEN view_in_state_at END AS view_in_state_at,
            CASE step WHEN 2 THEN last_viewed_before_at END AS viewed_before_at,
            CASE step WHEN 2 THEN last_viewed_before_in_state_at END AS viewed_before_in_state_at
        FROM entered
    )
    UPDATE public.funnel_events AS event
    SET entered_at = linked.entered_at, entered_before_at = linked.entered_before_at,
        entered_in_state_at = linked.entered_in_state_at,
        entered_before_in_state_at = linked.entered_before_in_state_at,
        view_at = linked.view_at, viewed_before_at = linked.viewed_before_at,
        view_in_state_at = linked.view_in_state_at, viewed_before_in_state_at = linked.viewed_before_in_state_at
    FROM linked
    WHERE event.ctid = linked.place
      AND (
          event.entered_at, event.entered_before_at, event.entered_in_state_at, event.entered_before_in_state_at,
          event.view_at, event.viewed_before_at, event.view_in_state_at, event.viewed_before_in_state_at
      ) IS DISTINCT FROM (
          linked.entered_at, linked.entered_before_at, linked.entered_in_state_at, linked.entered_before_in_state_at,
          linked.view_at, linked.viewed_before_at, linked.view_in_state_at, linked.viewed_before_in_state_at
      )
$$;

REVOKE ALL ON FUNCTION public.link_funnel FROM PUBLIC;

-- As in 0013, and the funnel's links with the sessions'.
-- Makes the sessions of some visitors anew: of each visitor those that an event between `firsts` and `lasts` belongs to
-- or would join. All of these events were received between `received_firsts` and `received_lasts`.
CREATE OR REPLACE FUNCTION public.build_sessions(
    visitors bigint[], firsts timestamptz[], lasts timestamptz[],
    received_firsts timestamptz[], received_lasts timestamptz[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    gap CONSTANT interval := '30 minutes';
    standing bigint[];
BEGIN
    -- Wider, by the sessions that are there: they end, begin or go with these events.
    SELECT array_agg(visitor), array_agg(first), array_agg(last), array_agg(received_first), array_agg(received_last)
    INTO visitors, firsts, lasts, received_firsts, received_lasts
    FROM (
        SELECT
            region.visitor,
            least(region.first, min(session.started_at)) AS first,
            greatest(region.last, max(session.ended_at)) AS last,
            least(region.received_first, min(session.received_first)) AS received_first,
            greatest(region.received_last, max(session.received_last)) AS received_last
        FROM unnest(visitors, firsts, lasts, received_firsts, received_lasts)
            AS region (visitor, first, last, received_first, received_last)
        LEFT JOIN LATERAL (
            SELECT started_at, ended_at, present.received_first, present.received_last
            FROM public.sessions AS present
            WHERE present.visitor = region.visitor
              AND (visitor, category, brand, started_at) >= (region.visitor, '', '', '-infinity')
              AND (visitor, category, brand, started_at) <= (region.visitor, '', '', region.last + gap)
              AND ended_at >= region.first - gap
            OFFSET 0
        ) AS session ON true
        GROUP BY region.visitor, region.first, region.last, region.received_first, region.received_last
    ) AS widened;
    -- The visitors that have sessions from there on.
    SELECT array_agg(visitor) INTO standing
    FROM unnest(visitors, firsts) AS region (visitor, first)
    WHERE EXISTS (
        SELECT FROM public.sessions AS present
        WHERE present.visitor = region.visitor
          AND (visitor, category, brand, started_at) >= (region.visitor, '', '', region.first)
          AND (visitor, category, brand, started_at) <= (region.visitor, '', '', 'infinity')
        OFFSET 0
    );

    IF standing IS NOT NULL THEN
        PERFORM public.count_sessions(-1, visitors, firsts);
        PERFORM public.delete_sessions(visitors, firsts, lasts);
    END IF;
    PERFORM public.add_sessions(visitors, firsts, lasts, received_firsts, received_lasts);
    IF standing IS NOT NULL THEN
        PERFORM public.link_sessions(standing);
    END IF;
    PERFORM public.link_funnel(visitors, firsts);
    PERFORM public.count_sessions(1, visitors, firsts);
END
$$;

SELECT public.link_funnel(array_agg(visitor), array_agg(timestamptz '-infinity'))
FROM (SELECT DISTINCT visitor FROM public.funnel_events) AS buyer;
