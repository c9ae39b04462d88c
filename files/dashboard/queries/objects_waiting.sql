-- Raw objects that are not in the warehouse yet, as far as the ETL knows; whatever the filters.
-- Parameters: the filters' six.
-- Columns: objects_left (that the last finished run left for the next; NULL where none has finished), objects_failed
-- (that could not be read), objects_set_aside (that could not be loaded; runs try both again). One row.
SELECT
    (
        SELECT objects_left FROM public.etl_runs WHERE finished_at IS NOT NULL ORDER BY run_id DESC LIMIT 1
    ) AS objects_left,
    (SELECT count(*) FROM public.etl_object_failures WHERE etag IS NULL) AS objects_failed,
    (SELECT count(*) FROM public.etl_object_failures WHERE etag IS NOT NULL) AS objects_set_aside
FROM filters
