-- Makes the sessions of some visitors anew, from their events: of each visitor those that an event between `firsts` and
-- `lasts` belongs to or would join. All of these events were received between `received_firsts` and `received_lasts`.
CREATE FUNCTION public.build_sessions(
    visitors bigint[], firsts timestamptz[], lasts timestamptz[],
    received_firsts timestamptz[], received_lasts timestamptz[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET jit = off AS $$
DECLARE
    gap CONSTANT interval := '30 minutes';
    standing boolean;
BEGIN
    -- Wider, by the sessions that are there: they end, begin or go with these events.
    SELECT
        array_agg(visitor), array_agg(first), array_agg(last), array_agg(received_first), array_agg(received_last),
        bool_or(stands)
    INTO visitors, firsts, lasts, received_firsts, received_lasts, standing
    FROM (
        SELECT
            region.visitor,
            least(region.first, min(session.started_at)) AS first,
            greatest(region.last, max(session.ended_at)) AS last,
            least(region.received_first, min(session.received_first)) AS received_first,
            greatest(region.received_last, max(session.received_last)) AS received_last,
            -- Whether the visitor has sessions from there on.
            EXISTS (
                SELECT FROM public.sessions AS later
                WHERE later.visitor = region.visitor AND later.category = '' AND later.brand = ''
                  AND later.started_at >= least(region.first, min(session.started_at))
            ) AS stands
        FROM unnest(visitors, firsts, lasts, received_firsts, received_lasts)
            AS region (visitor, first, last, received_first, received_last)
        LEFT JOIN LATERAL (
            -- The last session that begins before, and those that begin within.
            (
                SELECT before.*
                FROM public.sessions AS before
                WHERE before.visitor = region.visitor AND before.category = '' AND before.brand = ''
                  AND before.started_at < region.first
                ORDER BY before.started_at DESC
                LIMIT 1
            )
            UNION ALL
            SELECT within.*
            FROM public.sessions AS within
            WHERE within.visitor = region.visitor AND within.category = '' AND within.brand = ''
              AND within.started_at BETWEEN region.first AND region.last + gap
        ) AS session ON session.ended_at >= region.first - gap
        GROUP BY region.visitor, region.first, region.last, region.received_first, region.received_last
    ) AS widened;

    IF standing THEN
        PERFORM public.count_sessions(-1, visitors, firsts);
        DELETE FROM public.sessions AS session
        USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
        WHERE session.visitor = region.visitor AND session.started_at BETWEEN region.first AND region.last;
        DELETE FROM public.funnel_events AS step
        USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
        WHERE step.visitor = region.visitor AND step.started_at BETWEEN region.first AND region.last;
        DELETE FROM public.purchases AS purchase
        USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
        WHERE purchase.visitor = region.visitor AND purchase.started_at BETWEEN region.first AND region.last;
    END IF;

    WITH event AS (
        SELECT
            region.visitor, region.first, event.*,
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
              AND stored.event_timestamp BETWEEN region.first AND region.last
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
            min(first) AS first,
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
    ), completion AS (
        SELECT visitor, started_at, at, product_id,
            lag(at, 1, '-infinity') OVER (PARTITION BY visitor, started_at ORDER BY at) AS completed_before
        FROM sessioned
        WHERE step = 4
    ), bought AS (
        SELECT DISTINCT completion.visitor, completion.started_at, completion.at,
            coalesce(nullif(completion.product_id, ''), cart.product_id) AS product_id
        FROM completion
        LEFT JOIN LATERAL (
            SELECT product_id
            FROM sessioned AS cart
            WHERE cart.visitor = completion.visitor AND cart.started_at = completion.started_at
              AND completion.product_id = ''
              AND cart.at <= completion.at AND cart.at > completion.completed_before
              AND cart.name IN ('add_to_cart_click', 'remove_from_cart_click') AND cart.product_id <> ''
            GROUP BY product_id
            HAVING max(at) FILTER (WHERE name = 'add_to_cart_click')
                   > coalesce(max(at) FILTER (WHERE name = 'remove_from_cart_click'), '-infinity')
        ) AS cart ON true
        WHERE completion.product_id <> '' OR cart.product_id IS NOT NULL
    ), purchase AS (
        INSERT INTO public.purchases (visitor, started_at, at, login_state, product_id)
        SELECT visitor, started_at, at, login_state, product_id
        FROM bought
        JOIN session USING (visitor, started_at)
    )
    INSERT INTO public.sessions (
        visitor, category, brand, started_at, ended_at, login_state, events, page_views, carted, purchased,
        view_at, cart_at, checkout_at, purchase_at, previous_at, previous_in_state_at, received_first, received_last
    )
    SELECT
        visitor, category, brand, started_at, ended_at, login_state, events, page_views,
        coalesce(carted, false), purchased, times[1], times[2], times[3], times[4],
        -- The session before is one of these, or the last one before all of these.
        coalesce(
            lag(started_at) OVER (PARTITION BY visitor, category, brand ORDER BY started_at),
            (
                SELECT max(before.started_at)
                FROM public.sessions AS before
                WHERE before.visitor = part.visitor AND before.category = part.category
                  AND before.brand = part.brand AND before.started_at < session.first
            )
        ),
        coalesce(
            lag(started_at) OVER (PARTITION BY visitor, category, brand, login_state ORDER BY started_at),
            (
                SELECT max(before.started_at)
                FROM public.sessions AS before
                WHERE before.visitor = part.visitor AND before.category = part.category
                  AND before.brand = part.brand AND before.started_at < session.first
                  AND before.login_state = session.login_state
            )
        ),
        received_first, received_last
    FROM part
    JOIN session USING (visitor, started_at)
    LEFT JOIN reached USING (visitor, started_at, category, brand);

    IF standing THEN
        -- Later sessions may have another predecessor now.
        UPDATE public.sessions AS session
        SET previous_at = linked.previous_at, previous_in_state_at = linked.previous_in_state_at
        FROM (
            SELECT
                visitor, category, brand, started_at,
                lag(started_at) OVER (PARTITION BY visitor, category, brand ORDER BY started_at) AS previous_at,
                lag(started_at) OVER (
                    PARTITION BY visitor, category, brand, login_state ORDER BY started_at
                ) AS previous_in_state_at
            FROM public.sessions
            WHERE visitor = ANY (visitors)
        ) AS linked
        WHERE session.visitor = linked.visitor AND session.category = linked.category
          AND session.brand = linked.brand AND session.started_at = linked.started_at
          AND (session.previous_at, session.previous_in_state_at)
              IS DISTINCT FROM (linked.previous_at, linked.previous_in_state_at);
    END IF;
    PERFORM public.count_sessions(1, visitors, firsts);
END
$$;
