"""Action plugin: read a schema's SQL files on the controller and hand them to module warehouse_schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

TABLES_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")
OBJECT_NAME = re.compile(r"(?P<name>[a-z_][a-z0-9_]*)\.sql")
FOLDERS = {"functions": "function", "views": "view", "triggers": "trigger"}
"""Folder -> kind of the objects in it."""


def read_tables(directory: Path) -> list[dict[str, Any]]:
    """The numbered files as the module's ``tables``, in order: version (int, from 1), name, sql.

    Raises ValueError for a name that is no NNNN_name.sql, for a number used twice and for a gap.
    """
    tables = []
    for path in sorted(directory.glob("*.sql")):
        match = TABLES_NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path.name} is not named NNNN_name.sql (digits, then a-z, 0-9 and _)")
        tables.append(
            {"version": int(match["version"]), "name": match["name"], "sql": path.read_text("utf-8")}
        )
    for expected, table in enumerate(tables, start=1):
        if table["version"] != expected:
            raise ValueError(
                f"{table['version']:04d}_{table['name']}.sql stands where number {expected:04d} "
                "belongs: the numbers run from 0001 without a gap or a repetition"
            )
    return tables


def read_objects(directory: Path) -> list[dict[str, Any]]:
    """The files of functions, views and triggers as the module's ``objects``: kind, name, sql.

    Raises ValueError for a file that is not named after an object.
    """
    objects = []
    for folder, kind in FOLDERS.items():
        for path in sorted((directory / folder).glob("*.sql")):
            match = OBJECT_NAME.fullmatch(path.name)
            if match is None:
                raise ValueError(f"{folder}/{path.name} is not named after a {kind} (a-z, 0-9 and _)")
            objects.append({"kind": kind, "name": match["name"], "sql": path.read_text("utf-8")})
    return objects


def read_schema(directory: Path) -> dict[str, list[dict[str, Any]]]:
    """The module's ``tables`` and ``objects``; raises ValueError for files that are not where they belong."""
    for path in sorted(directory.glob("*.sql")):
        raise ValueError(f"{path.name} lies outside of tables/, functions/, views/ and triggers/")
    tables = read_tables(directory / "tables")
    if not tables:
        raise ValueError("there is no file in tables/")
    return {"tables": tables, "objects": read_objects(directory)}


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Replaces ``directory`` by ``tables`` and ``objects``; the module does the rest on the host."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        directory = Path(str(args.pop("directory", "")))
        if not directory.is_dir():
            raise AnsibleActionFail(f"warehouse_schema: directory {directory} does not exist.")
        try:
            args |= read_schema(directory)
        except ValueError as error:
            raise AnsibleActionFail(f"{directory}: {error}. Fix: rename or move the file.") from error
        module = self._execute_module(
            module_name="clickstream.aws.warehouse_schema", module_args=args, task_vars=task_vars
        )
        return {**result, **module}
