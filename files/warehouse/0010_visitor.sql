-- Who an event belongs to, as a number: what sessions, visitors and time lines are found by. The client's id, or where
-- it gave none the user's, or the session's; NULL where an event has none of them. 64 bits of hash stand for the text:
-- among a million visitors two share a number with a probability of 3 in 100 million.
ALTER TABLE public.clickstream_events ADD COLUMN visitor bigint
    GENERATED ALWAYS AS (hashtextextended(coalesce(client_id, user_id, session_id), 0)) STORED;

COMMENT ON COLUMN public.clickstream_events.visitor IS 'Hash of client_id, else user_id, else session_id.';

CREATE INDEX clickstream_events_visitor_idx ON public.clickstream_events (visitor, event_timestamp);
