INSERT INTO public.rejected_events (object_key, position, code, reason, raw_event)
SELECT *
FROM unnest(
    %(keys)s::text[], %(positions)s::integer[], %(codes)s::text[], %(reasons)s::text[],
    %(raw_events)s::text[]
)
