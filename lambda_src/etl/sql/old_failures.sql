-- Unreadable objects that no listing finds any more: by every run at first, then once a day, for as long as they are
-- there. Some at a time, so that they do not hold up what arrives.
SELECT object_key
FROM public.etl_object_failures
WHERE (object_key < %(boundary)s OR object_key LIKE 'rejected/%%')
  AND (attempts < %(attempts)s OR last_failed_at < now() - interval '23 hours')
ORDER BY last_failed_at, object_key
LIMIT %(limit)s
