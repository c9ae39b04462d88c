-- Deletes the sessions of these visitors that begin between `firsts` and `lasts`, with what is counted from them.
CREATE OR REPLACE FUNCTION public.delete_sessions(visitors bigint[], firsts timestamptz[], lasts timestamptz[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
SET enable_seqscan = off SET enable_bitmapscan = off SET enable_hashjoin = off SET enable_mergejoin = off SET jit = off AS $$
BEGIN
    DELETE FROM public.sessions AS session
    USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
    WHERE session.visitor = region.visitor AND session.started_at BETWEEN region.first AND region.last;
    DELETE FROM public.funnel_events AS step
    USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
    WHERE step.visitor = region.visitor AND step.started_at BETWEEN region.first AND region.last;
    DELETE FROM public.repeated_views AS repeated
    USING unnest(visitors, firsts, lasts) AS region (visitor, first, last)
    WHERE repeated.visitor = region.visitor AND repeated.started_at BETWEEN region.first AND region.last;
    -- link_orders() makes those of later sessions anew too.
    DELETE FROM public.orders AS present
    USING unnest(visitors, firsts) AS region (visitor, first)
    WHERE present.visitor = region.visitor AND present.started_at >= region.first;
    DELETE FROM public.order_items AS present
    USING unnest(visitors, firsts) AS region (visitor, first)
    WHERE present.visitor = region.visitor AND present.started_at >= region.first;
END
$$;

REVOKE ALL ON FUNCTION public.delete_sessions FROM PUBLIC;
