"""Action plugin: read numbered SQL files on the controller and hand them to the module warehouse_schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

FILE_NAME = re.compile(r"(?P<version>\d{4})_(?P<name>[a-z0-9_]+)\.sql")


def read_migrations(directory: Path) -> list[dict[str, Any]]:
    """The files as the module's ``migrations``, in order.

    Raises ValueError for a name that is no NNNN_name.sql, for a number used twice and for a gap.
    """
    migrations = []
    for path in sorted(directory.glob("*.sql")):
        match = FILE_NAME.fullmatch(path.name)
        if match is None:
            raise ValueError(f"{path.name} is not named NNNN_name.sql (digits, then a-z, 0-9 and _)")
        migrations.append(
            {"version": int(match["version"]), "name": match["name"], "sql": path.read_text("utf-8")}
        )
    for expected, migration in enumerate(migrations, start=1):
        if migration["version"] != expected:
            raise ValueError(
                f"{migration['version']:04d}_{migration['name']}.sql stands where number {expected:04d} "
                "belongs: the numbers run from 0001 without a gap or a repetition"
            )
    return migrations


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Replaces ``directory`` by ``migrations``; the module does the rest on the host."""

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
            args["migrations"] = read_migrations(directory)
        except ValueError as error:
            raise AnsibleActionFail(f"{directory}: {error}. Fix: rename the file.") from error
        module = self._execute_module(
            module_name="clickstream.aws.warehouse_schema", module_args=args, task_vars=task_vars
        )
        return {**result, **module}
