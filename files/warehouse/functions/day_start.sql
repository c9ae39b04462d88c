-- The first instant of a date in a time zone: also where midnight occurs twice (then it is the first one) or never. That is
-- the one definition of a local day; the date of an instant is `(at AT TIME ZONE zone)::date`.
CREATE OR REPLACE FUNCTION public.day_start(day date, zone text) RETURNS timestamptz
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS $$
    SELECT min(at)
    FROM generate_series(
        day::timestamp AT TIME ZONE zone - interval '3 hours', day::timestamp AT TIME ZONE zone + interval '3 hours',
        interval '15 minutes' -- clocks shift by whole quarters of an hour
    ) AS at
    WHERE (at AT TIME ZONE zone)::date >= day
$$;

REVOKE ALL ON FUNCTION public.day_start FROM PUBLIC;
GRANT EXECUTE ON FUNCTION public.day_start TO clickstream_reader;
