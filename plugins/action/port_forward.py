"""Action plugin: open, hold or close a forwarded port; the module of the same name opens and closes it."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.utils.display import Display

from ansible_collections.clickstream.aws.plugins.action.aws import ActionModule as AwsActionModule

display = Display()


class Interrupted(BaseException):
    """Somebody interrupted the run."""


class Interruption:
    """Notices that the run is interrupted: by SIGINT or SIGTERM, or because its main process has ended."""

    def __init__(self) -> None:
        self.noticed = self._waiting = False
        self._parent = os.getppid()
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
        self._before = {number: signal.signal(number, self._handle) for number in numbers}
        signal.setitimer(signal.ITIMER_REAL, 1, 1)  # to look for the main process

    def _handle(self, number: int, _frame: object) -> None:
        if number != signal.SIGALRM or os.getppid() != self._parent:
            self.noticed = True
        if self.noticed and self._waiting:
            self._waiting = False
            raise Interrupted

    def wait(self, condition: Callable[[], object]) -> None:
        """Return when ``condition`` returns, or at the interruption."""
        try:
            self._waiting = True
            if not self.noticed:
                condition()
            self._waiting = False
        except Interrupted:
            pass

    def end(self) -> None:
        """Leave signals to whom they belonged before."""
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in self._before.items():
            signal.signal(number, handler)


def wait_for_enter(url: str) -> None:
    """Return when Enter is pressed; without a terminal never."""
    try:
        display.prompt_until(f"{url} is open until you press Enter here")
    except AnsiblePromptInterrupt:
        return
    except AnsiblePromptNoninteractive:
        display.display(f"{url} is open until this run is interrupted")
        while True:
            signal.pause()


class ActionModule(AwsActionModule):
    """Turns ``held`` into ``started``, a wait, and ``stopped``."""

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """The task's result."""
        run_module = super().run

        def module(state: str) -> dict[str, Any]:
            self._task.args["state"] = state
            return run_module(tmp, task_vars)

        arguments = self._task.args
        state = arguments.get("state", "started")
        if state != "held" or self._task.check_mode:
            return module(state)
        interruption = Interruption()
        try:
            opened = module("started")
            if not opened.get("failed"):
                interruption.wait(lambda: wait_for_enter(opened["url"] + arguments.get("path", "")))
            closed = module("stopped")
            return opened if opened.get("failed") else closed
        finally:
            interruption.end()
