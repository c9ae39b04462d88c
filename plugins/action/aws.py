"""Action plugin: give every AWS module of this collection the platform's region."""

from __future__ import annotations

import re
from typing import Any

from ansible.plugins.action.normal import ActionModule as NormalActionModule

FIXES = {
    r"Couldn't connect to AWS|Unable to locate credentials|a profile and access tokens": (
        "run playbooks/preflight.yml, which says what is wrong with the credentials"
    ),
    r"\((AccessDenied|AccessDeniedException|UnauthorizedOperation)\)": (
        "have an administrator of the account run bin/deployer-policies (README, Deploy to AWS, step 1), "
        "which brings the deployer's rights up to date"
    ),
}
"""What amazon.aws and AWS say, and what helps."""


def with_fix(said: str) -> str:
    """The message of a module that failed, with its fix where it has none and one is known."""
    fix = next((fix for problem, fix in FIXES.items() if re.search(problem, said)), "")
    return f"{said.rstrip('.')}. Fix: {fix}." if fix and "Fix:" not in said else said


class ActionModule(NormalActionModule):  # type: ignore[misc]  # ansible-core has no types
    """Adds ``region`` from ``platform_region`` where the task names none, and a fix to some failures.

    It serves the modules that ``meta/runtime.yml`` lists, so that no playbook and no task repeats the region.
    """

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        region = (task_vars or {}).get("platform_region")
        if region and "region" not in self._task.args:
            self._task.args["region"] = self._templar.template(region)
        result: dict[str, Any] = super().run(tmp, task_vars)
        if result.get("failed") and isinstance(result.get("msg"), str):
            result["msg"] = with_fix(result["msg"])
        return result
