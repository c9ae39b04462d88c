-- The functions that make sessions from events. Their parameters say of which visitors, from when and until when; an
-- array each, of the same length. The planner knows nothing of arrays' contents, and little of tables that have just
-- begun to grow: so each function allows only the joins that stay good when there are many (a look into an index per
-- visitor, or a hash), and rows are compared as a whole where only one index will do.

-- Adds the sessions of these visitors between `firsts` and `lasts`, where there are none: all of their events then, which
-- were received between `received_firsts` and `received_lasts`.
CREATE FUNCTION public.add_sessions(
    visitors bigint[], firsts timestamptz[], lasts timestamptz[],
    received_firsts timestamptz[], received_lasts timestamptz[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = on SET enable_nestloop = off SET jit = off AS $$
DECLARE
    gap CONSTANT interval := '30 minutes';
BEGIN
    WITH event AS (
        SELECT
            region.visitor, event.*,
            event.at - lag(event.at) OVER (PARTITION BY region.visitor ORDER BY event.at) <= gap AS goes_on
        FROM unnest(visitors, firsts, lasts, received_firsts, received_lasts)
            AS region (visitor, first, last, received_first, received_last)
        CROSS JOIN LATERAL (
            SELECT
                event_timestamp AS at, event_name AS name, user_login_state, received_at,
                public.label(context_product_id) AS product_id,
                public.label(context_product_category) AS category,
                public.label(context_product_brand) AS brand
            FROM public.clickstream_events AS stored
            WHERE stored.visitor = region.visitor
              AND (stored.visitor, stored.event_timestamp) >= (region.visitor, region.first)
              AND (stored.visitor, stored.event_timestamp) <= (region.visitor, region.last)
              AND stored.received_at BETWEEN region.received_first AND region.received_last
              AND NOT stored.is_bot
            OFFSET 0 -- one look into the index per visitor
        ) AS event
    ), sessioned AS (
        SELECT
            *, public.funnel_step(name) AS step,
            max(at) FILTER (WHERE goes_on IS NOT TRUE) OVER (PARTITION BY visitor ORDER BY at) AS started_at
        FROM event
    ), session AS (
        SELECT
            visitor, started_at, max(at) AS ended_at,
            -- In the order of the alphabet the strongest state comes last.
            coalesce(max(user_login_state), '') AS login_state,
            count(*) AS events,
            count(*) FILTER (WHERE name = 'page_view') AS page_views,
            bool_or(step = 4) IS TRUE AS purchased,
            min(received_at) AS received_first, max(received_at) AS received_last
        FROM sessioned
        GROUP BY visitor, started_at
    ), product_group AS (
        SELECT DISTINCT visitor, started_at, label.category, label.brand
        FROM (
            SELECT DISTINCT visitor, started_at, category, brand FROM sessioned WHERE category <> '' OR brand <> ''
        ) AS touched
        CROSS JOIN LATERAL (VALUES (category, ''), ('', brand), (category, brand)) AS label (category, brand)
        WHERE label.category <> '' OR label.brand <> ''
    ), part AS (
        SELECT visitor, started_at, '' AS category, '' AS brand FROM session
        UNION ALL
        SELECT visitor, started_at, category, brand FROM product_group
    ), reached AS (
        SELECT
            part.visitor, part.started_at, part.category, part.brand,
            bool_or(step.step = 2) AS carted,
            public.funnel(step.step, step.at ORDER BY step.at, step.step) AS times
        FROM part
        JOIN sessioned AS step USING (visitor, started_at)
        WHERE step.step >= 3
           OR step.step IS NOT NULL AND part.category IN ('', step.category) AND part.brand IN ('', step.brand)
        GROUP BY 1, 2, 3, 4
    ), funnel_event AS (
        INSERT INTO public.funnel_events (visitor, started_at, at, step, login_state, category, brand)
        SELECT visitor, started_at, at, step, login_state, category, brand
        FROM sessioned
        JOIN session USING (visitor, started_at)
        WHERE step >= 2
    ), cart AS (
        -- What is put into the cart or taken out, and the next completion, at once or later.
        SELECT *, min(at) FILTER (WHERE step = 4) OVER (
            PARTITION BY visitor, started_at ORDER BY at DESC
        ) AS completed_at
        FROM sessioned
        WHERE step IN (2, 4) OR name = 'remove_from_cart_click'
    ), bought AS (
        SELECT visitor, started_at, at, product_id FROM cart WHERE step = 4 AND product_id <> ''
        UNION
        SELECT visitor, started_at, completed_at, product_id
        FROM cart
        WHERE name <> 'checkout_complete' AND product_id <> ''
          AND (visitor, started_at, completed_at) IN (
              SELECT visitor, started_at, at FROM cart WHERE step = 4 AND product_id = ''
          )
        GROUP BY visitor, started_at, completed_at, product_id
        HAVING max(at) FILTER (WHERE step = 2) > coalesce(max(at) FILTER (WHERE step IS NULL), '-infinity')
    ), purchase AS (
        INSERT INTO public.purchases (visitor, started_at, at, login_state, product_id)
        SELECT visitor, started_at, at, login_state, product_id
        FROM bought
        JOIN session USING (visitor, started_at)
    ), before_in_state AS (
        -- The last of the sessions that were there before all of these.
        SELECT region.visitor, before.*
        FROM unnest(visitors, firsts) AS region (visitor, first)
        CROSS JOIN LATERAL (
            SELECT category, brand, login_state, max(started_at) AS at,
                max(started_at) FILTER (WHERE view_at IS NOT NULL) AS viewed_at
            FROM public.sessions AS session
            WHERE session.visitor = region.visitor AND session.started_at < region.first
            GROUP BY category, brand, login_state
            OFFSET 0
        ) AS before
    ), before AS (
        SELECT visitor, category, brand, max(at) AS at, max(viewed_at) AS viewed_at
        FROM before_in_state
        GROUP BY visitor, category, brand
    )
    INSERT INTO public.sessions (
        visitor, category, brand, started_at, ended_at, login_state, events, page_views, carted, purchased,
        view_at, cart_at, checkout_at, purchase_at, previous_at, previous_in_state_at,
        viewed_before_at, viewed_before_in_state_at, received_first, received_last
    )
    SELECT
        visitor, category, brand, started_at, ended_at, login_state, events, page_views,
        coalesce(carted, false), purchased, times[1], times[2], times[3], times[4],
        coalesce(
            lag(started_at) OVER (PARTITION BY visitor, category, brand ORDER BY started_at), before.at
        ),
        coalesce(
            lag(started_at) OVER (PARTITION BY visitor, category, brand, login_state ORDER BY started_at),
            before_in_state.at
        ),
        coalesce(
            max(started_at) FILTER (WHERE times[1] IS NOT NULL) OVER (
                PARTITION BY visitor, category, brand
                ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            before.viewed_at
        ),
        coalesce(
            max(started_at) FILTER (WHERE times[1] IS NOT NULL) OVER (
                PARTITION BY visitor, category, brand, login_state
                ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ),
            before_in_state.viewed_at
        ),
        received_first, received_last
    FROM part
    JOIN session USING (visitor, started_at)
    LEFT JOIN reached USING (visitor, started_at, category, brand)
    LEFT JOIN before USING (visitor, category, brand)
    LEFT JOIN before_in_state USING (visitor, category, brand, login_state);
END
$$;

-- Deletes the sessions of these visitors that begin between `firsts` and `lasts`.
CREATE FUNCTION public.delete_sessions(visitors bigint[], firsts timestamptz[], lasts timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    DELETE FROM public.sessions AS session
    USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
    WHERE session.visitor = region.visitor AND session.started_at BETWEEN region.first AND region.last;
    DELETE FROM public.funnel_events AS step
    USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
    WHERE step.visitor = region.visitor AND step.started_at BETWEEN region.first AND region.last;
    DELETE FROM public.purchases AS purchase
    USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
    WHERE purchase.visitor = region.visitor AND purchase.started_at BETWEEN region.first AND region.last;
END
$$;

-- Says anew which session of a visitor follows which.
CREATE FUNCTION public.link_sessions(visitors bigint[]) RETURNS void
LANGUAGE sql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
    UPDATE public.sessions AS session
    SET previous_at = linked.previous_at, previous_in_state_at = linked.previous_in_state_at,
        viewed_before_at = linked.viewed_before_at, viewed_before_in_state_at = linked.viewed_before_in_state_at
    FROM (
        SELECT
            visitor, category, brand, started_at,
            lag(started_at) OVER (PARTITION BY visitor, category, brand ORDER BY started_at) AS previous_at,
            lag(started_at) OVER (
                PARTITION BY visitor, category, brand, login_state ORDER BY started_at
            ) AS previous_in_state_at,
            max(started_at) FILTER (WHERE view_at IS NOT NULL) OVER (
                PARTITION BY visitor, category, brand
                ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS viewed_before_at,
            max(started_at) FILTER (WHERE view_at IS NOT NULL) OVER (
                PARTITION BY visitor, category, brand, login_state
                ORDER BY started_at ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
            ) AS viewed_before_in_state_at
        FROM public.sessions
        WHERE visitor = ANY (visitors)
    ) AS linked
    WHERE session.visitor = linked.visitor AND session.category = linked.category
      AND session.brand = linked.brand AND session.started_at = linked.started_at
      AND (
          session.previous_at, session.previous_in_state_at,
          session.viewed_before_at, session.viewed_before_in_state_at
      ) IS DISTINCT FROM (
          linked.previous_at, linked.previous_in_state_at, linked.viewed_before_at, linked.viewed_before_in_state_at
      )
$$;

-- Makes the sessions of some visitors anew: of each visitor those that an event between `firsts` and `lasts` belongs to
-- or would join. All of these events were received between `received_firsts` and `received_lasts`.
CREATE FUNCTION public.build_sessions(
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
    PERFORM public.count_sessions(1, visitors, firsts);
END
$$;
