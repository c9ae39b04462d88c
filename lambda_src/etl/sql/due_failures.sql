-- Objects that no listing finds any more. Those that are only to be read again, all at once; unreadable ones by every run
-- at first, then once a day, for as long as they are there: some at a time, so that they do not hold up what arrives.
WITH due AS (
    SELECT object_key, attempts, last_failed_at
    FROM public.etl_object_failures
    WHERE (object_key < %(boundary)s OR object_key LIKE 'rejected/%%')
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
