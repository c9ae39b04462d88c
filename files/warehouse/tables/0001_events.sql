-- Events: one row per event, in weekly partitions by time of receipt (../README.md says why).
-- Of several copies of one event the first accepted copy is the row: the one with the smallest
-- (received_at, source_object, source_position), in whatever order the copies were loaded.

-- The columns of the event contract in its order, then what the platform adds.
CREATE TABLE public.clickstream_events (
    event_id                       uuid           NOT NULL,
    event_timestamp                timestamptz    NOT NULL,
    event_name                     text           NOT NULL CHECK (event_name <> ''),
    user_id                        text,
    user_login_state               text           CHECK (user_login_state IN ('logged_in', 'anonymous', 'guest')),
    identity_source                text,
    client_id                      text,
    session_id                     text,
    is_first_visit                 boolean,
    context_product_id             text,
    context_product_name           text,
    context_product_category       text,
    context_product_brand          text,
    context_product_price          numeric(16, 2) CHECK (context_product_price >= 0),
    context_product_discount_price numeric(16, 2) CHECK (context_product_discount_price >= 0),
    context_product_url_path       text,
    page_url                       text,
    referrer                       text,
    element                        jsonb,
    identity_verified              boolean        NOT NULL DEFAULT false,
    event_timestamp_source         text           NOT NULL
        CHECK (event_timestamp_source IN ('client', 'corrected', 'received')),
    is_bot                         boolean        NOT NULL DEFAULT false,
    received_at                    timestamptz    NOT NULL,
    source_object                  text COLLATE "C" NOT NULL,
    source_position                integer        NOT NULL CHECK (source_position >= 0),
    loaded_at                      timestamptz    NOT NULL DEFAULT now(),
    -- Whom an event belongs to, as a number: sessions, visitors and timelines are found by it. A hash of 64 bits stands
    -- for the text: among a million visitors two share a number with a probability of 3 in 100 million.
    visitor                        bigint
        GENERATED ALWAYS AS (hashtextextended(coalesce(client_id, user_id, session_id), 0)) STORED
) PARTITION BY RANGE (received_at);

-- Rows outside every weekly partition.
CREATE TABLE public.clickstream_events_other PARTITION OF public.clickstream_events DEFAULT;

-- A row is found by its id through clickstream_event_ids, which knows when it was received. In the order of receipt new
-- rows go to the newest page of this index; in the order of event ids they would go to any page of it.
CREATE UNIQUE INDEX clickstream_events_key ON public.clickstream_events (received_at, event_id);

-- The dashboard reads by time.
CREATE INDEX clickstream_events_event_timestamp_idx
    ON public.clickstream_events (event_timestamp);

-- The rows of a raw object that is read again. Objects are loaded in the order of their keys, so a summary of each
-- block range (BRIN) finds them, and costs next to nothing.
CREATE INDEX clickstream_events_source_object_idx
    ON public.clickstream_events USING brin (source_object);

-- The events of a visitor, for the sessions.
CREATE INDEX clickstream_events_visitor_idx ON public.clickstream_events (visitor, event_timestamp);

-- The newest event that names a product. label() is in ../functions/label.sql: functions are there before tables.
CREATE INDEX clickstream_events_product_idx
    ON public.clickstream_events (public.label(context_product_id), event_timestamp)
    WHERE context_product_name IS NOT NULL AND NOT is_bot;

-- An event_id is unique by itself, whatever its partition: a row is written only together with its id in this table.
CREATE TABLE public.clickstream_event_ids (
    event_id    uuid        PRIMARY KEY,
    received_at timestamptz NOT NULL
);

-- If the copy that is the row is refused by later rules, or its object is replaced, the other objects are read again.
CREATE TABLE public.clickstream_event_copies (
    event_id      uuid NOT NULL,
    source_object text COLLATE "C" NOT NULL,
    PRIMARY KEY (event_id, source_object)
);

COMMENT ON TABLE public.clickstream_events IS
    'One row per event. Made from the raw bucket by the ETL and can be rebuilt from it.';
COMMENT ON COLUMN public.clickstream_events.event_timestamp IS
    'When the event happened, UTC: by the client''s clock, corrected where that clock was wrong.';
COMMENT ON COLUMN public.clickstream_events.event_timestamp_source IS
    'client = as sent; corrected = shifted by receivedAt - sentAt; received = the time of receipt.';
COMMENT ON COLUMN public.clickstream_events.identity_verified IS
    'True where a token proved user_id; false where the client only says so.';
COMMENT ON COLUMN public.clickstream_events.is_bot IS 'The User-Agent calls itself a bot, or nothing at all.';
COMMENT ON COLUMN public.clickstream_events.received_at IS 'When the collector took the request.';
COMMENT ON COLUMN public.clickstream_events.source_object IS 'Key of the raw object.';
COMMENT ON COLUMN public.clickstream_events.source_position IS 'Index of the event in the raw object.';
COMMENT ON COLUMN public.clickstream_events.loaded_at IS 'When the event_id first became a row.';
COMMENT ON COLUMN public.clickstream_events.visitor IS 'Hash of client_id, else user_id, else session_id.';
COMMENT ON TABLE public.clickstream_event_ids IS
    'Every event_id once, and by received_at the partition of its row.';
COMMENT ON TABLE public.clickstream_event_copies IS
    'Events of which several raw objects hold a copy, with each of these objects.';

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.clickstream_events, public.clickstream_event_ids, public.clickstream_event_copies
    TO clickstream_loader;
GRANT SELECT
    ON public.clickstream_events, public.clickstream_event_ids, public.clickstream_event_copies
    TO clickstream_reader;
