"""Ansible callback: imports what AWS modules and the connection to the host import, once a run."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from ansible.plugins.callback import CallbackBase
from ansible.plugins.loader import module_loader

from ansible_collections.clickstream.aws.plugins.plugin_utils import forked_module

DOCUMENTATION = r"""
name: module_imports
type: aggregate
short_description: Import once a run what every AWS module imports
description:
  - Ansible forks a process for each task. What is imported before, in the process that forks, is there
    already in each of them. Without this callback each task of an AWS module imports it, for half a second.
requirements:
  - To be named in C(callbacks_enabled).
author: The clickstream platform's founders
"""


class CallbackModule(CallbackBase):  # type: ignore[misc]  # ansible-core has no types
    """Imports before the first task of a module that ``meta/runtime.yml`` lists."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "clickstream.aws.module_imports"
    CALLBACK_NEEDS_ENABLED = True

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Note whether a task starts when all hosts have finished the one before.

        Else another thread of this process may import something of Ansible's at the same time.
        """
        self._in_order = play.strategy.endswith("linear")

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        """Import, the first time."""
        handler = module_loader.find_plugin_with_context(task.action).action_plugin or ""
        if self._in_order and handler.startswith("clickstream.aws."):
            import_module("ansible_collections.amazon.aws.plugins.connection.aws_ssm")
            forked_module.imports()
