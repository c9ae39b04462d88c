"""Action plugin: read directory trees on the controller and hand every file to the module host_files."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase


def tree_files(source: Path, destination: str, attributes: dict[str, Any]) -> list[dict[str, Any]]:
    """The files of a directory as ``files`` entries of the module, sorted by path; content is base64."""
    return [
        {
            **attributes,
            "path": f"{destination.rstrip('/')}/{path.relative_to(source).as_posix()}",
            "content": base64.b64encode(path.read_bytes()).decode(),
            "encoding": "base64",
        }
        for path in sorted(source.rglob("*"))
        if path.is_file()
    ]


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """Turns ``trees`` into ``files`` and ``purge``; the module does the rest in one round trip."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        args = dict(self._task.args)
        trees = args.pop("trees", None) or []
        files, purge = list(args.pop("files", None) or []), list(args.pop("purge", None) or [])
        for tree in trees:
            source = Path(self._find_needle("files", tree["src"]))
            if not source.is_dir():
                raise AnsibleActionFail(f"trees: {source} is not a directory. Fix: set src to one.")
            attributes = {key: tree[key] for key in ("owner", "group", "mode") if key in tree}
            files += tree_files(source, tree["dest"], attributes)
            purge.append(tree["dest"])
        module = self._execute_module(
            module_name="clickstream.aws.host_files",
            module_args={**args, "files": files, "purge": purge},
            task_vars=task_vars,
        )
        return {**result, **module}
