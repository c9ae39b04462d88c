-- The class of a session's duration, from 0 to 8: see daily_sessions.lengths.
CREATE OR REPLACE FUNCTION public.session_length(started_at timestamptz, ended_at timestamptz) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    -- date_part() and not extract(), which takes five times as long.
    width_bucket(date_part('epoch', ended_at - started_at), '{0.000001, 10, 30, 60, 180, 600, 1800, 3600}');

REVOKE ALL ON FUNCTION public.session_length FROM PUBLIC;
