-- The events: the seeds' sixteen columns in their order, then what the platform adds.
-- Of several copies of one event the first accepted one is the row: the copy with the smallest
-- (received_at, source_object, source_position), in whatever order the copies were loaded.
CREATE TABLE public.clickstream_events (
    event_id                       uuid           PRIMARY KEY,
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
    received_at                    timestamptz    NOT NULL,
    source_object                  text           NOT NULL,
    source_position                integer        NOT NULL CHECK (source_position >= 0),
    loaded_at                      timestamptz    NOT NULL DEFAULT now()
);

-- The dashboard reads by time.
CREATE INDEX clickstream_events_event_timestamp_idx
    ON public.clickstream_events (event_timestamp);

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

GRANT SELECT, INSERT, UPDATE ON public.clickstream_events TO clickstream_loader;
GRANT SELECT ON public.clickstream_events TO clickstream_reader;
