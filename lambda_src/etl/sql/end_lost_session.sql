-- Ends this loader's own session whose connection was lost: the server may not have noticed, and the session still
-- holds the lock. A role may end its own sessions.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE pid = %s
  AND backend_start = %s
  AND usename = current_user
