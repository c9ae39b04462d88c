-- Whether a completion is a copy of an order that counts already: its success page was loaded again.
CREATE OR REPLACE FUNCTION public.is_order_copy(id text, at timestamptz, event uuid) RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
    SELECT EXISTS (
        SELECT FROM public.clickstream_events
        WHERE public.label(order_id) = id AND (event_timestamp, event_id) < (at, event)
          AND order_id <> '' AND event_name = 'checkout_complete' AND NOT is_bot AND flood IS NULL
    )
$$;

REVOKE ALL ON FUNCTION public.is_order_copy FROM PUBLIC;
