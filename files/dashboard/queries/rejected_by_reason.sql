-- Events that could not become rows, by why, of those rejected in the period. Of the filters only the dates count.
-- Parameters: the filters' six.
-- Columns: code, reason (the newest of this code), events, last_rejected (local time, 'YYYY-MM-DD HH24:MI:SS'). Most
-- first.
SELECT
    rejected.code,
    left((
        array_agg(rejected.reason ORDER BY rejected.rejected_at DESC, rejected.object_key, rejected.position)
    )[1], 200) AS reason,
    count(*) AS events,
    to_char(max(rejected.rejected_at AT TIME ZONE filters.time_zone), 'YYYY-MM-DD HH24:MI:SS') AS last_rejected
FROM public.rejected_events AS rejected
CROSS JOIN filters
WHERE rejected.rejected_at >= filters.starts AND rejected.rejected_at < filters.ends
GROUP BY rejected.code
ORDER BY events DESC, code
