-- Replaces some visitors' sessions: of each visitor those that an event between `firsts` and `lasts` belongs to, or would
-- join. All of these events were received between `received_firsts` and `received_lasts`.
CREATE OR REPLACE FUNCTION public.build_sessions(
    visitors bigint[], firsts timestamptz[], lasts timestamptz[],
    received_firsts timestamptz[], received_lasts timestamptz[]
) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
DECLARE
    gap CONSTANT interval := '30 minutes';
    longest CONSTANT interval := '24 hours';
    standing bigint[];
BEGIN
    -- Widen the ranges to the stored sessions that these events touch: they grow, shrink, join or go. Where one of them is
    -- a day long, those that follow it without a gap may begin elsewhere.
    WITH RECURSIVE touched AS (
        SELECT
            region.visitor,
            least(region.first, min(session.started_at)) AS first,
            greatest(region.last, max(session.ended_at)) AS last,
            least(region.received_first, min(session.received_first)) AS received_first,
            greatest(region.received_last, max(session.received_last)) AS received_last,
            bool_or(session.ended_at - session.started_at >= longest - gap) AS is_cut
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
    ), widened AS (
        SELECT * FROM touched
        UNION ALL
        SELECT widened.visitor, first, next.ended_at, least(widened.received_first, next.received_first),
            greatest(widened.received_last, next.received_last), true
        FROM widened
        CROSS JOIN LATERAL (
            SELECT ended_at, session.received_first, session.received_last
            FROM public.sessions AS session
            WHERE session.visitor = widened.visitor
              AND (visitor, category, brand, started_at) > (widened.visitor, '', '', widened.last)
              AND (visitor, category, brand, started_at) <= (widened.visitor, '', '', widened.last + gap)
            ORDER BY visitor, category, brand, started_at
            LIMIT 1
        ) AS next
        WHERE is_cut
    )
    SELECT array_agg(visitor), array_agg(first), array_agg(last), array_agg(received_first), array_agg(received_last)
    INTO visitors, firsts, lasts, received_firsts, received_lasts
    FROM (
        SELECT visitor, first, max(last) AS last, min(received_first) AS received_first,
            max(received_last) AS received_last
        FROM widened
        GROUP BY visitor, first
    ) AS region;
    -- The visitors who have stored sessions from there on.
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
    PERFORM public.link_orders(visitors, firsts);
    PERFORM public.count_sessions(1, visitors, firsts);
END
$$;

REVOKE ALL ON FUNCTION public.build_sessions FROM PUBLIC;
