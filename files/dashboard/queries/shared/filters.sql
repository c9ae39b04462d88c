-- What the page's filters say, as the relation `filters`: one row, which read_queries() puts before every query that reads
-- it. Dates and hours are those of the time zone; '' is any.
-- Parameters: $1 first day, $2 last day (included), $3 time zone, $4 login state, $5 category, $6 brand.
-- Columns: first_day, last_day, time_zone, login_state, category, brand, starts, ends (the period's first moment and the
-- first one after it, as the warehouse counts its days).
SELECT
    $1::date AS first_day, $2::date AS last_day, $3::text AS time_zone,
    $4::text AS login_state, $5::text AS category, $6::text AS brand,
    public.day_start($1, $3) AS starts, public.day_start($2 + 1, $3) AS ends
