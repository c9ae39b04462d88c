"""Ansible callback: what a run has changed, or in check mode would change, by name.

After every task it is written to ``reported.json`` in Molecule's directory for the scenario, where a later
task of the same run can read it: host → list of strings, in order. Each is the resource as the task's diff
calls it ("subnet public"), or what our host modules say that they do, or else the task and its loop's item.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: reported
type: notification
short_description: What a run has changed, by name
description:
  - Writes the names of what was changed, or would be, to C(reported.json) in Molecule's directory.
"""


def names(task: str, result: Mapping[str, Any]) -> list[str]:
    """What one result has changed: nothing, or what it says itself, or its task."""
    if not result.get("changed"):
        return []
    if "pending" in result and isinstance(result.get("msg"), list):
        return [str(line) for line in result["msg"]]
    diffs = result.get("diff") or []
    said = [name for diff in (diffs if isinstance(diffs, list) else [diffs]) for name in parts(diff)]
    label = result.get("_ansible_item_label", result.get("item"))
    return said or [task if label is None else f"{task}: {label}"]


def parts(diff: Mapping[str, Any]) -> list[str]:
    """What a diff names: its resource (before and after), or without one the lines of what is new."""
    if diff.get("after_header"):
        return [header(diff)] if diff["after_header"] == diff.get("before_header") else []
    return str(diff["after"]).splitlines() if diff.get("before") == "" else []


def header(diff: Mapping[str, Any]) -> str:
    """How a diff calls its resource, and what differs where it was there before: "subnet public: tags"."""
    both = isinstance(diff.get("before"), dict) and isinstance(diff.get("after"), dict)
    keys = sorted(diff["after"]) if both else []
    return f"{diff['after_header']}: {', '.join(keys)}" if keys else str(diff["after_header"])


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """See the module's own description."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "reported"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._file = Path(os.environ.get("MOLECULE_EPHEMERAL_DIRECTORY", ".")) / "reported.json"
        self._changed: dict[str, list[str]] = {}
        self._write()

    def v2_runner_on_ok(self, result: Any) -> None:
        """A task, or the end of one with a loop, whose items have been told already."""
        if "results" not in result.result:
            self._note(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        """An item of a loop."""
        self._note(result)

    def _note(self, result: Any) -> None:
        found = names(result.task.name, result.result)
        if found:
            self._changed.setdefault(result.host.get_name(), []).extend(found)
            self._write()

    def _write(self) -> None:
        self._file.write_text(json.dumps(self._changed, indent=1) + "\n")
