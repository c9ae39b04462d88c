-- Unreadable objects that no listing finds any more.
SELECT object_key
FROM public.etl_object_failures
WHERE object_key < %(boundary)s
  AND attempts < %(attempts)s
ORDER BY object_key
