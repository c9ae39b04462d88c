-- The events: the seeds' sixteen columns in their order, then what the platform adds.
-- Of several copies of one event the first accepted one is the row: the copy with the smallest
-- (received_at, source_object, source_position), in whatever order the copies were loaded.
-- Partitions are weeks of receipt; README.md says why. That event_id is unique by itself, whatever the
-- partition, is the work of clickstream_event_ids: a row is written only with its id there.
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
    PRIMARY KEY (event_id, received_at)
) PARTITION BY RANGE (received_at);

-- What claims to have been received in no time that a partition is made for.
CREATE TABLE public.clickstream_events_other PARTITION OF public.clickstream_events DEFAULT;

-- The dashboard reads by time.
CREATE INDEX clickstream_events_event_timestamp_idx
    ON public.clickstream_events (event_timestamp);

-- The rows of a raw object that is read again. Objects are loaded in the order of their keys, so a summary of
-- each block range finds them, and costs next to nothing.
CREATE INDEX clickstream_events_source_object_idx
    ON public.clickstream_events USING brin (source_object);

CREATE TABLE public.clickstream_event_ids (
    event_id    uuid        PRIMARY KEY,
    received_at timestamptz NOT NULL
);

-- Events of which several raw objects hold a copy, with each of these objects: if the copy that is the row is
-- refused by later rules, or its object replaced, the others are read again.
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
COMMENT ON COLUMN public.clickstream_events.received_at IS 'When the collector took the request.';
COMMENT ON COLUMN public.clickstream_events.source_object IS 'Key of the raw object.';
COMMENT ON COLUMN public.clickstream_events.source_position IS 'Index of the event in the raw object.';
COMMENT ON COLUMN public.clickstream_events.loaded_at IS 'When the event_id first became a row.';

COMMENT ON COLUMN public.clickstream_events.is_bot IS 'The User-Agent calls itself a bot, or nothing at all.';
COMMENT ON TABLE public.clickstream_event_ids IS
    'Every event_id once, and by received_at the partition of its row.';
COMMENT ON TABLE public.clickstream_event_copies IS
    'Events of which several raw objects hold a copy, with each of these objects.';

-- Whoever deletes a row lets its id be taken again. (A row that moves to another week is updated, not deleted.)
CREATE FUNCTION public.forget_event_ids() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM public.clickstream_event_ids AS id
    USING deleted
    WHERE id.event_id = deleted.event_id;
    RETURN NULL;
END
$$;

CREATE TRIGGER forget_event_ids
    AFTER DELETE ON public.clickstream_events
    REFERENCING OLD TABLE AS deleted
    FOR EACH STATEMENT EXECUTE FUNCTION public.forget_event_ids();

GRANT SELECT, INSERT, UPDATE, DELETE
    ON public.clickstream_events, public.clickstream_event_ids, public.clickstream_event_copies
    TO clickstream_loader;
GRANT SELECT
    ON public.clickstream_events, public.clickstream_event_ids, public.clickstream_event_copies
    TO clickstream_reader;
