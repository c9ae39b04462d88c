-- Who is who: a visitor's key carries its kind, and a visitor with too many events on a day counts as a bot for that day.
LOCK TABLE public.clickstream_events IN SHARE MODE;

-- The column becomes product.quantity's, because none may be dropped: partitions that are made later would differ from the
-- table, and PostgreSQL then shows triggers no generated columns.
DROP INDEX public.clickstream_events_visitor_idx, public.clickstream_events_folded_idx;
ALTER TABLE public.clickstream_events ALTER COLUMN visitor DROP EXPRESSION;
ALTER TABLE public.clickstream_events RENAME COLUMN visitor TO context_product_quantity;
ALTER TABLE public.clickstream_events
    ALTER COLUMN context_product_quantity TYPE integer USING NULL;
COMMENT ON COLUMN public.clickstream_events.context_product_quantity IS 'How many of the product.';

-- The seed of the hash is the kind: client 17, user 17 and session 17 are three.
ALTER TABLE public.clickstream_events
    ADD COLUMN visitor bigint GENERATED ALWAYS AS (
        coalesce(hashtextextended(client_id, 0), hashtextextended(user_id, 1), hashtextextended(session_id, 2))
    ) STORED,
    ADD COLUMN flood boolean CHECK (flood);

CREATE INDEX clickstream_events_visitor_idx
    ON public.clickstream_events (visitor, event_timestamp) WHERE NOT is_bot AND flood IS NULL;
CREATE INDEX clickstream_events_flood_idx
    ON public.clickstream_events (visitor, event_timestamp) WHERE NOT is_bot AND flood;
CREATE INDEX clickstream_events_folded_idx
    ON public.clickstream_events (received_at) INCLUDE (folded, visitor) WHERE folded IS NOT NULL;

-- The days (of the time zone) on which a visitor has more events than max_events_a_visitor_day: those have `flood` set.
CREATE TABLE public.flood_days (
    visitor bigint      NOT NULL,
    starts  timestamptz NOT NULL,
    ends    timestamptz NOT NULL,
    PRIMARY KEY (visitor, starts)
);

ALTER TABLE public.model_settings
    ADD COLUMN max_events_a_visitor_day integer NOT NULL DEFAULT 5000 CHECK (max_events_a_visitor_day > 0);

COMMENT ON COLUMN public.clickstream_events.visitor IS
    'Hash of client_id, else user_id, else session_id; seeded by which of them it is.';
COMMENT ON COLUMN public.clickstream_events.flood IS
    'True where the visitor has too many events on that day, and counts as a bot; else NULL. The model''s triggers set it.';
COMMENT ON TABLE public.flood_days IS
    'Visitors'' days of the time zone that count as a bot''s; `ends` is the first instant after.';
COMMENT ON COLUMN public.model_settings.max_events_a_visitor_day IS
    'A visitor with more events on a day counts as a bot for that day. set_visitor_limit() changes it.';

GRANT SELECT ON public.flood_days TO clickstream_reader;

SELECT set_config('warehouse_schema.afterwards', 'SELECT public.rebuild_model()', true);
