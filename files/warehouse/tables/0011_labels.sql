-- What anybody can name is bounded: beyond a number of new event names, products, categories and brands a day (of receipt,
-- UTC) new ones count as "(other)". The rows keep what was sent; `folded` says which of a row's labels count so.
LOCK TABLE public.clickstream_events IN SHARE MODE;

-- The labels that count under their own name. Of a day those come first that are first in its raw objects, in the order
-- of their keys, so in whatever order objects are loaded the same labels are admitted.
CREATE TABLE public.labels (
    kind          smallint NOT NULL CHECK (kind IN (1, 2, 4, 8)),
    value         text     NOT NULL,
    day           date     NOT NULL,
    source_object text COLLATE "C" NOT NULL,
    position      integer  NOT NULL,
    PRIMARY KEY (kind, value)
);

CREATE INDEX labels_day_idx ON public.labels (day, kind);

-- Rows that are here already count as they always have.
INSERT INTO public.labels
SELECT DISTINCT ON (own.kind, public.label(own.value))
    own.kind, public.label(own.value), (received_at AT TIME ZONE 'UTC')::date, source_object, source_position
FROM public.clickstream_events
CROSS JOIN LATERAL (
    VALUES
        (1, event_name), (2, context_product_id), (4, context_product_category), (8, context_product_brand)
) AS own (kind, value)
WHERE own.value <> '' AND NOT is_bot
ORDER BY
    own.kind, public.label(own.value), (received_at AT TIME ZONE 'UTC')::date, source_object, source_position;

UPDATE public.products SET url_path = left(url_path, 200) WHERE length(url_path) > 200;

ALTER TABLE public.clickstream_events ADD COLUMN folded smallint;

CREATE INDEX clickstream_events_folded_idx
    ON public.clickstream_events (received_at) INCLUDE (folded, visitor) WHERE folded IS NOT NULL;

COMMENT ON TABLE public.labels IS 'Labels that count under their own name. The ETL writes it.';
COMMENT ON COLUMN public.labels.kind IS
    'event_name (1), context_product_id (2), context_product_category (4) or context_product_brand (8).';
COMMENT ON COLUMN public.labels.day IS 'The day of receipt (UTC) on whose number of new labels it counts.';
COMMENT ON COLUMN public.labels.source_object IS 'Where it is first on that day; with `position`, as in the events.';
COMMENT ON COLUMN public.clickstream_events.folded IS
    'The labels that count as "(other)": a sum of kinds (labels.kind). NULL where none does.';

GRANT SELECT, INSERT, UPDATE, DELETE ON public.labels TO clickstream_loader;
GRANT SELECT ON public.labels TO clickstream_reader;
