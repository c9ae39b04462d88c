-- Where the listing of raw objects begins. Every object before it is loaded, or in
-- etl_object_failures; its row in the ledger is gone, so that the ledger stays small for ever.
CREATE TABLE public.etl_watermark (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    listed_from text COLLATE "C" NOT NULL,
    moved_at    timestamptz NOT NULL DEFAULT now()
);

INSERT INTO public.etl_watermark (listed_from) VALUES ('');

COMMENT ON TABLE public.etl_watermark IS
    'One row: the folder of the first hour that runs still list.';

GRANT SELECT, UPDATE ON public.etl_watermark TO clickstream_loader;
GRANT SELECT ON public.etl_watermark TO clickstream_reader;
