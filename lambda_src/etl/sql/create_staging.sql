-- Staging tables of a chunk: etl_ids has the ids of all its rows, etl_staging the rows that are compared with stored
-- ones; etl_labels has the labels that they name, etl_changed_labels those that now count otherwise.
CREATE TEMPORARY TABLE IF NOT EXISTS etl_ids (event_id uuid, received_at timestamptz)
    ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS etl_staging (LIKE public.clickstream_events)
    ON COMMIT DELETE ROWS;
ALTER TABLE etl_staging DROP COLUMN IF EXISTS loaded_at;
CREATE TEMPORARY TABLE IF NOT EXISTS etl_labels (
    number integer, kind smallint, day date, value text, source_object text COLLATE "C", position integer
) ON COMMIT DELETE ROWS;
CREATE TEMPORARY TABLE IF NOT EXISTS etl_changed_labels (
    kind smallint, value text, day date, source_object text COLLATE "C", pushed boolean
) ON COMMIT DELETE ROWS
