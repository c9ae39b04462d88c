-- The login state that an event counts as: of who is logged in, whether a token proved it ('verified') or the page says so
-- ('logged_in'). The strongest state comes last in the alphabet: anonymous < guest < logged_in < verified.
CREATE OR REPLACE FUNCTION public.login_state(said text, verified boolean) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE WHEN verified AND said = 'logged_in' THEN 'verified' ELSE said END;

REVOKE ALL ON FUNCTION public.login_state FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.login_state TO clickstream_loader;
