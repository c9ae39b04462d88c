"""Action plugin: give every AWS module of this collection the platform's region."""

from __future__ import annotations

import re
from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalActionModule

WITHOUT_A_SESSION = re.compile(
    r"Couldn't connect to AWS|Unable to locate credentials|a profile and access tokens"
)
"""What amazon.aws and botocore say of credentials that are wrong, half or none."""


class ActionModule(NormalActionModule):  # type: ignore[misc]  # ansible-core has no types
    """Adds ``region`` from ``platform_region`` where the task names none, and a fix to wrong credentials.

    It serves the modules that ``meta/runtime.yml`` lists, so that no playbook and no task repeats the region.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        region = (task_vars or {}).get("platform_region")
        if region and "region" not in self._task.args:
            self._task.args["region"] = self._templar.template(region)
        result: dict[str, Any] = super().run(tmp, task_vars)
        said = result.get("msg", "")
        if result.get("failed") and WITHOUT_A_SESSION.search(said) and "Fix:" not in said:
            result["msg"] = f"{said}. Fix: run playbooks/preflight.yml, which says what is wrong with them."
        return result
