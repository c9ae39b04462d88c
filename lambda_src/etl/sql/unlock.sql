-- At once: a server may notice only later that a session has ended.
SELECT pg_advisory_unlock(6022170)
