-- Rows of one chunk on their way into the table: its columns, but none of its indexes.
CREATE TEMPORARY TABLE IF NOT EXISTS etl_staging (LIKE public.clickstream_events)
    ON COMMIT DELETE ROWS;
ALTER TABLE etl_staging DROP COLUMN IF EXISTS loaded_at;
