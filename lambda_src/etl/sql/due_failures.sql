-- Failed objects that the listing does not reach any more and that are due. Objects that only must be read again (no
-- attempts yet) are all due at once. Unreadable ones are tried by every run at first and then once a day, for as long
-- as they exist, and only some per run, so that they do not delay new objects.
WITH due AS (
    SELECT object_key, attempts, last_failed_at
    FROM public.etl_object_failures
    WHERE (object_key < %(boundary)s OR object_key LIKE 'rejected/%%')
      AND etag IS NULL
      AND (attempts < %(attempts)s OR last_failed_at < now() - interval '23 hours')
), failed AS (
    SELECT object_key
    FROM due
    WHERE attempts > 0
    ORDER BY last_failed_at, object_key
    LIMIT %(limit)s
)
SELECT object_key FROM due WHERE attempts = 0
UNION ALL
SELECT object_key FROM failed
