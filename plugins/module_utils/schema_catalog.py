"""The functions, views and triggers of schema public, as PostgreSQL's catalog has them.

Each query takes a name (NULL: any) and gives a row per object, without those of extensions:

- name
- identity: how SQL names it in ALTER, DROP and GRANT
- row version: changes whenever the object is written, even with the same content
- definition: all that a file can say, that is code, settings, owner, privileges,
  whether a trigger is enabled, and the comment
- the roles other than the owner that have privileges

The search path is to be pg_catalog, so that definitions name the schema of everything.
"""

from __future__ import annotations

PRIVILEGES = """
LATERAL (
    SELECT coalesce(array_agg(DISTINCT grantee) FILTER (WHERE role <> {owner}), '{{}}') AS grantees,
        coalesce(
            string_agg(format(E'\\n-- %%s: %%s', grantee, privilege), '' ORDER BY grantee, privilege), ''
        ) AS text
    FROM (
        SELECT grantee AS role, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END AS grantee,
            privilege_type || CASE WHEN is_grantable THEN ', and may grant it' ELSE '' END AS privilege
        FROM aclexplode(coalesce({acl}, acldefault({kind}, {owner})))
    ) AS entry
) AS privileges
"""
EXTENSIONS = (
    "SELECT FROM pg_depend AS need WHERE need.classid = {catalog}::regclass AND need.objid = object.oid "
    "AND need.deptype = 'e'"
)

FUNCTIONS = f"""
SELECT proname::text AS name, object.oid::regprocedure::text AS identity,
    object.xmin::text || object.ctid::text,
    CASE prokind
        WHEN 'a' THEN format(E'CREATE AGGREGATE %%s\\n', object.oid::regprocedure)
        ELSE pg_get_functiondef(object.oid)
    END
        || format('-- owner: %%s', proowner::regrole) || privileges.text
        || coalesce(E'\\n-- comment: ' || obj_description(object.oid, 'pg_proc'), ''),
    grantees
FROM pg_proc AS object
CROSS JOIN {PRIVILEGES.format(owner="proowner", acl="proacl", kind="'f'")}
WHERE pronamespace = 'public'::regnamespace AND proname = coalesce(%s, proname)
  AND NOT EXISTS ({EXTENSIONS.format(catalog="'pg_proc'")})
ORDER BY name, identity
"""  # noqa: S608 - made of the parts above

VIEWS = f"""
SELECT relname::text AS name, object.oid::regclass::text AS identity, object.xmin::text || object.ctid::text,
    format(
        E'CREATE VIEW %%s%%s AS\\n%%s\\n-- owner: %%s', object.oid::regclass,
        ' WITH (' || array_to_string(reloptions, ', ') || ')', pg_get_viewdef(object.oid), relowner::regrole
    )
        || privileges.text || coalesce(E'\\n-- comment: ' || obj_description(object.oid, 'pg_class'), ''),
    grantees
FROM pg_class AS object
CROSS JOIN {PRIVILEGES.format(owner="relowner", acl="relacl", kind="'r'")}
WHERE relnamespace = 'public'::regnamespace AND relkind = 'v' AND relname = coalesce(%s, relname)
  AND NOT EXISTS ({EXTENSIONS.format(catalog="'pg_class'")})
ORDER BY name
"""  # noqa: S608 - likewise

# Without the triggers that stand for a constraint, and the copies of a partitioned table's trigger on its
# partitions.
TRIGGERS = f"""
SELECT tgname::text AS name, format('%%I ON %%s', tgname, tgrelid::regclass) AS identity,
    object.xmin::text || object.ctid::text,
    pg_get_triggerdef(object.oid)
        || CASE tgenabled
            WHEN 'O' THEN '' WHEN 'D' THEN E'\\n-- disabled'
            WHEN 'A' THEN E'\\n-- enabled always' ELSE E'\\n-- enabled for replicas'
        END
        || coalesce(E'\\n-- comment: ' || obj_description(object.oid, 'pg_trigger'), ''),
    ARRAY[]::text[]
FROM pg_trigger AS object
JOIN pg_class AS relation ON relation.oid = tgrelid
WHERE relnamespace = 'public'::regnamespace AND NOT tgisinternal AND tgparentid = 0
  AND tgname = coalesce(%s, tgname) AND NOT EXISTS ({EXTENSIONS.format(catalog="'pg_trigger'")})
ORDER BY name, identity
"""  # noqa: S608 - likewise

CATALOG = {"function": FUNCTIONS, "view": VIEWS, "trigger": TRIGGERS}
"""Kind of an object -> query."""
