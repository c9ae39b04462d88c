SELECT
    set_config('statement_timeout', %(milliseconds)s::text, true),
    set_config('lock_timeout', least(30000, %(milliseconds)s / 2)::text, true)
