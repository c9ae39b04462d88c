-- Releases the lock at once: the server may notice only later that the session has ended.
SELECT pg_advisory_unlock(6022170)
