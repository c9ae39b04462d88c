-- Adds two arrays of nine counts, element by element (daily_sessions.lengths and depths).
CREATE OR REPLACE FUNCTION public.add_counts(a bigint[], b bigint[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN
    ARRAY[
        a[1] + b[1], a[2] + b[2], a[3] + b[3], a[4] + b[4], a[5] + b[5], a[6] + b[6], a[7] + b[7], a[8] + b[8],
        a[9] + b[9]
    ];

REVOKE ALL ON FUNCTION public.add_counts FROM PUBLIC;
