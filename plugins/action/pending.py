"""Action plugin: report what cannot be configured yet because something it needs does not exist."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible.plugins.action import ActionBase


def pending_lines(resources: Sequence[str], needs: str) -> list[str]:
    """One line for each resource, in the words of the collection's modules."""
    return [f"pending: {resource} needs {needs}" for resource in resources]


class ActionModule(ActionBase):  # type: ignore[misc]  # ansible-core has no types
    """In check mode a change that names what is missing; otherwise an error with the fix."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            argument_spec={
                "needs": {"type": "str", "required": True},
                "resources": {"type": "list", "elements": "str", "required": True},
                "fix": {
                    "type": "str",
                    "default": "run site.yml, which creates everything in order",
                },
            }
        )
        lines = pending_lines(args["resources"], args["needs"])
        if not self._task.check_mode:
            wanting = ", ".join(args["resources"])
            return {
                **result,
                "failed": True,
                "msg": f"{args['needs']} does not exist, and {wanting} cannot be configured "
                f"without it. Fix: {args['fix']}.",
            }
        return {
            **result,
            "changed": True,
            "pending": args["needs"],
            "msg": lines,
            "diff": {"prepared": "".join(f"{line}\n" for line in lines)},
        }
