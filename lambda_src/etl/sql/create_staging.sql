-- What a chunk's rows are looked at by, on their way into the table: the ids of all of them, and as a whole those that
-- have to do with rows that are there.
CREATE TEMPORARY TABLE IF NOT EXISTS etl_ids (event_id uuid, received_at timestamptz)
    ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS etl_staging (LIKE public.clickstream_events)
    ON COMMIT DELETE ROWS;
ALTER TABLE etl_staging DROP COLUMN IF EXISTS loaded_at;
