-- Staging tables of a chunk: etl_ids has the ids of all its rows, etl_staging the rows that are compared with stored
-- ones.
CREATE TEMPORARY TABLE IF NOT EXISTS etl_ids (event_id uuid, received_at timestamptz)
    ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS etl_staging (LIKE public.clickstream_events)
    ON COMMIT DELETE ROWS;
ALTER TABLE etl_staging DROP COLUMN IF EXISTS loaded_at;
