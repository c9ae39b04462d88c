"""Action plugin: give every AWS module of this collection the platform's region."""

from __future__ import annotations

import re
import sys
from typing import Any

from ansible.module_utils.common.text.converters import to_text
from ansible.plugins.action.normal import ActionModule as NormalActionModule
from ansible.utils.display import Display

from ansible_collections.clickstream.aws.plugins.plugin_utils import forked_module

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

    def _low_level_execute_command(
        self, cmd: str, sudoable: bool = True, in_data: bytes | None = None, **options: Any
    ) -> dict[str, Any]:
        """Run a command as ever, but in a fork of this process a module for which this Python would start.

        So with pipelining, and without privilege escalation, ``async``, ``environment`` or an interpreter of
        its own. With -vvv everything is as ever, so that it can be looked at.
        """
        local = self._connection.transport == "local" and not self._connection.become
        alike = local and cmd == sys.executable and not options and sys.platform == "linux"
        if in_data is None or not alike or Display().verbosity > 2:
            result: dict[str, Any] = super()._low_level_execute_command(cmd, sudoable, in_data, **options)
            return result
        code, *streams = forked_module.run(in_data, self._loader.get_basedir())
        out, err = (to_text(stream, errors="surrogate_then_replace") for stream in streams)
        lines = {"stdout_lines": out.splitlines(), "stderr_lines": err.splitlines()}
        return {"rc": code, "stdout": out, "stderr": err, **lines}
