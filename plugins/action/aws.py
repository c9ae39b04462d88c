"""Action plugin: give every AWS module of this collection the platform's region."""

from __future__ import annotations

import re
import sys
from typing import Any, cast

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

STAND_IN, STAND_IN_PATH = "ansible.builtin.ping", b"ansible.modules.ping"
"""A small module, packed in the place of each that runs in a fork: packing takes longer than running it."""
NAMED = b"module_fqn='%s'"
"""How the program in which a module is packed names it."""


def with_fix(said: str) -> str:
    """The message of a module that failed, with its fix where it has none and one is known."""
    fix = next((fix for problem, fix in FIXES.items() if re.search(problem, said)), "")
    return f"{said.rstrip('.')}. Fix: {fix}." if fix and "Fix:" not in said else said


class ActionModule(NormalActionModule):  # type: ignore[misc]  # ansible-core has no types
    """Adds ``region`` from ``platform_region`` where the task names none, and a fix to some failures.

    It serves the modules that ``meta/runtime.yml`` lists, so that no playbook and no task repeats the region.
    """

    _forked = ""
    """Where the module is that runs in a fork."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        region = (task_vars or {}).get("platform_region")
        if region and "region" not in self._task.args:
            self._task.args["region"] = self._templar.template(region)
        result: dict[str, Any] = super().run(tmp, task_vars)
        if result.get("failed") and isinstance(result.get("msg"), str):
            result["msg"] = with_fix(result["msg"])
        return result

    def _configure_module(
        self, module_name: str, module_args: dict[str, Any], task_vars: dict[str, Any]
    ) -> tuple[Any, str]:
        """The module packed; for one that runs in a fork, which needs no libraries with it, another one."""
        self._forked = ""
        if self._may_fork():
            packed = super()._configure_module(STAND_IN, module_args, task_vars)
            if (
                packed[0].shebang == f"#!{sys.executable}"
                and NAMED % STAND_IN_PATH in packed[0].b_module_data
            ):
                loader = self._shared_loader_obj.module_loader
                found = loader.find_plugin_with_context(module_name, collection_list=self._task.collections)
                collection, _, name = found.resolved_fqcn.rpartition(".")
                self._forked = f"ansible_collections.{collection}.plugins.modules.{name}"
                return cast(tuple[Any, str], packed)
        return cast(tuple[Any, str], super()._configure_module(module_name, module_args, task_vars))

    def _may_fork(self) -> bool:
        """Whether nothing is asked for that a process of its own has, such as being seen with -vvv."""
        local = self._connection.transport == "local" and not self._connection.become
        plain = not self._task.async_val and not self._compute_environment_string().strip()
        pipelined = self._is_pipelining_enabled("new")
        return local and plain and pipelined and sys.platform == "linux" and Display().verbosity < 3

    def _low_level_execute_command(
        self, cmd: str, sudoable: bool = True, in_data: bytes | None = None, **options: Any
    ) -> dict[str, Any]:
        """Run a command as ever, and the module in a fork of this process where it may."""
        if in_data is None or not self._forked:
            done = super()._low_level_execute_command(cmd, sudoable, in_data, **options)
            return cast(dict[str, Any], done)
        source = in_data.replace(NAMED % STAND_IN_PATH, NAMED % self._forked.encode(), 1)
        code, *streams = forked_module.run(source, self._loader.get_basedir())
        out, err = (to_text(stream, errors="surrogate_then_replace") for stream in streams)
        lines = {"stdout_lines": out.splitlines(), "stderr_lines": err.splitlines()}
        return {"rc": code, "stdout": out, "stderr": err, **lines}
