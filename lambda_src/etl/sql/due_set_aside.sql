-- Objects set aside that are due, those that have waited longest first: an hour after the first attempt, then 2, 4, 8
-- hours and so on, at most a week. Five minutes less, because the schedule is not exact to the second.
SELECT object_key
FROM public.etl_object_failures
WHERE etag IS NOT NULL
  AND last_failed_at < now() + interval '5 minutes'
      - least(interval '1 hour' * 2 ^ least(attempts - 1, 8), interval '7 days')
ORDER BY last_failed_at, object_key
