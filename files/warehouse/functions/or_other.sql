-- A value as it counts: "(other)" where its bit of `folded` is set.
CREATE OR REPLACE FUNCTION public.or_other(text, integer) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN CASE WHEN $2 <> 0 THEN '(other)' ELSE $1 END;

REVOKE ALL ON FUNCTION public.or_other FROM PUBLIC;
