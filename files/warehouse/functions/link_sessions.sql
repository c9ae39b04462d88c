-- Recomputes for these visitors which session follows which.
CREATE OR REPLACE FUNCTION public.link_sessions(visitors bigint[]) RETURNS void
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

REVOKE ALL ON FUNCTION public.link_sessions FROM PUBLIC;
