-- The class of a session's number of page views, from 0 to 8: see daily_sessions.depths.
CREATE OR REPLACE FUNCTION public.session_depth(page_views integer) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    width_bucket(page_views::double precision, '{1, 2, 3, 4, 6, 11, 21, 51}');

REVOKE ALL ON FUNCTION public.session_depth FROM PUBLIC;
