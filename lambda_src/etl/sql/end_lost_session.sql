-- A session of ours whose connection was lost: the server may not have noticed, and it holds the lock. A role may end its
-- own sessions.
SELECT pg_terminate_backend(pid)
FROM pg_stat_activity
WHERE pid = %s
  AND backend_start = %s
  AND usename = current_user
