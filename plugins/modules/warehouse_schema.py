#!/usr/bin/python
"""Ansible module: bring a database to the schema version of numbered SQL files."""

from __future__ import annotations

DOCUMENTATION = r"""
module: warehouse_schema
short_description: Bring a database to the schema version of numbered SQL files
description:
  - Applies every file C(NNNN_name.sql) of O(directory) that table C(schema_version) does not name yet, in
    order, each in a transaction of its own together with its record, as O(owner).
  - Refuses if a file that was applied has been edited, or if the database is ahead of the files.
  - A file holds plain SQL, without psql's backslash commands and without C(BEGIN) and C(COMMIT).
options:
  directory:
    description: Directory of the files, on the controller.
    type: path
    required: true
  database:
    description: The database.
    type: str
    required: true
  owner:
    description: Role that becomes the owner of what the files create; C(SET ROLE) makes it so.
    type: str
    required: true
  port:
    description: The server's port.
    type: int
    default: 5432
author: The clickstream platform's founders
"""

EXAMPLES = r"""
- name: Bring the schema up to date
  clickstream.aws.warehouse_schema:
    directory: "{{ playbook_dir }}/../files/warehouse"
    database: clickstream_dw
    owner: clickstream_owner
"""

RETURN = r"""
version:
  description: The schema version that the database has (or would have).
  returned: unless pending
  type: int
applied:
  description: The files that were applied (or would be).
  returned: unless pending
  type: list
  elements: str
  sample: [0003_sessions]
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

from ansible.module_utils.basic import AnsibleModule

from ansible_collections.clickstream.aws.plugins.module_utils.postgresql import (
    CONNECTION_ARGUMENTS,
    Unavailable,
    connect,
    driver,
    report_unavailable,
)

Migration = Mapping[str, Any]
"""version (int, from 1), name, sql."""

LOCK_KEY = 0x5C4E3A
"""Key of the advisory lock that keeps two runs from migrating at once."""

LOCK_TIMEOUT = "60s"
"""How long a migration waits for tables that the ETL holds."""

HISTORY_EXISTS = "SELECT to_regclass('public.schema_version') IS NOT NULL"
HISTORY = "SELECT version, name, checksum FROM public.schema_version ORDER BY version"
CREATE_HISTORY = """
CREATE TABLE public.schema_version (
    version integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""
RECORD = "INSERT INTO public.schema_version (version, name, checksum) VALUES (%s, %s, %s)"


class Refused(Exception):
    """The files and the database contradict each other; the text says how to go on."""


def checksum(text: str) -> str:
    """SHA-256 of a file's text, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()


def label(migration: Migration) -> str:
    """The file's name without its ending."""
    return f"{migration['version']:04d}_{migration['name']}"


def pending_migrations(
    migrations: Sequence[Migration], history: Sequence[tuple[int, str, str]]
) -> list[Migration]:
    """The migrations that are not applied; raises :class:`Refused`.

    ``history`` holds (version, name, checksum) in order.
    """
    for (version, name, digest), migration in zip(history, migrations, strict=False):
        recorded = f"{version:04d}_{name}"
        if recorded != label(migration):
            raise Refused(
                f"The database has applied {recorded} where the files have {label(migration)}. "
                "Fix: give the file its old number and name back; new files go to the end."
            )
        if digest != checksum(migration["sql"]):
            raise Refused(
                f"{recorded}.sql was changed after it was applied. "
                "Fix: restore it (git log shows it), and put the change into a new file at the end."
            )
    if len(history) > len(migrations):
        raise Refused(
            f"The database is at version {history[-1][0]}, the files end at {len(migrations)}. "
            "Fix: use the checkout that the database was migrated with, or a newer one."
        )
    return list(migrations[len(history) :])


def read_history(cursor: Any) -> list[tuple[int, str, str]]:
    """What has been applied; empty where nothing was ever."""
    cursor.execute(HISTORY_EXISTS)
    if not cursor.fetchone()[0]:
        return []
    cursor.execute(HISTORY)
    return [tuple(row) for row in cursor.fetchall()]


def apply(connection: Any, migration: Migration, owner: str) -> None:
    """One migration and its record in one transaction; raises psycopg2's Error."""
    sql = driver().sql
    connection.autocommit = False
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(owner)))
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", (LOCK_TIMEOUT,))
            cursor.execute("SET LOCAL search_path = public")
            if migration["version"] == 1:
                cursor.execute(CREATE_HISTORY)
            cursor.execute(migration["sql"])
            cursor.execute(RECORD, (migration["version"], migration["name"], checksum(migration["sql"])))
        connection.commit()
    finally:
        connection.rollback()
        connection.autocommit = True


def error_line(text: str, position: str | None) -> int:
    """The line of an SQL text on which PostgreSQL's 1-based character position lies."""
    return text.count("\n", 0, max(int(position or 1) - 1, 0)) + 1


def failed(migration: Migration, error: Any) -> str:
    """The message for a migration that PostgreSQL refused."""
    diagnosis = error.diag
    line = error_line(migration["sql"], diagnosis.statement_position)
    detail = f" ({diagnosis.message_detail})" if diagnosis.message_detail else ""
    return (
        f"{label(migration)}.sql, line {line}: {diagnosis.message_primary or error}{detail}. "
        "Nothing of this file was kept. Fix: correct it, and run the playbook again."
    )


def migrate(module: AnsibleModule, connection: Any) -> list[str]:
    """Apply what is pending (outside check mode); its labels."""
    with connection.cursor() as cursor:
        if not module.check_mode:
            cursor.execute("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
        todo = pending_migrations(module.params["migrations"], read_history(cursor))
    for migration in [] if module.check_mode else todo:
        try:
            apply(connection, migration, module.params["owner"])
        except driver().Error as error:
            module.fail_json(msg=failed(migration, error))
    return [label(migration) for migration in todo]


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "migrations": {
                "type": "list",
                "elements": "dict",
                "required": True,
                "options": {
                    "version": {"type": "int", "required": True},
                    "name": {"required": True},
                    "sql": {"required": True},
                },
            },
            "database": {"required": True},
            "owner": {"required": True},
            **CONNECTION_ARGUMENTS,
        },
        supports_check_mode=True,
        no_log=True,  # of the arguments, in the host's journal: they are long
    )
    try:
        applied = migrate(module, connect(module.params["database"], module.params["port"]))
    except Unavailable as reason:
        report_unavailable(module, "the warehouse's schema", reason)
    except Refused as refusal:
        module.fail_json(msg=str(refusal))
    module.exit_json(
        changed=bool(applied),
        version=len(module.params["migrations"]),
        applied=applied,
        diff={"before": "", "after": "".join(f"{name}\n" for name in applied)} if applied else {},
    )


if __name__ == "__main__":
    main()
