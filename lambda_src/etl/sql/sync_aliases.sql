-- Makes the table equal to event_names.json; writes nothing if it is already.
WITH wanted AS (
    SELECT alias, event_name
    FROM unnest(%(aliases)s::text[], %(event_names)s::text[]) AS wanted (alias, event_name)
), dropped AS (
    DELETE FROM public.event_name_aliases
    WHERE alias <> ALL (%(aliases)s::text[])
)
INSERT INTO public.event_name_aliases AS present (alias, event_name)
SELECT alias, event_name
FROM wanted
ON CONFLICT (alias) DO UPDATE
SET event_name = excluded.event_name
WHERE present.event_name <> excluded.event_name
