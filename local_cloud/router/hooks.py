"""Registry of hooks: what the router does to the calls of a service's action (answer, refuse, correct).

A hook is a coroutine. To work around another emulator bug, add one function to
:mod:`local_cloud.router.fixes`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable

from local_cloud.router.backends import Backends
from local_cloud.router.calls import Answer, Call

AnswerHook = Callable[[Call, Backends], Awaitable[Answer | None]]
BeforeHook = Callable[[Call, Backends], Awaitable[None]]
AfterHook = Callable[[Call, Backends, Answer], Awaitable[None]]
Key = tuple[str, str]

ANSWERS: dict[Key, AnswerHook] = {}
BEFORE: dict[Key, list[BeforeHook]] = defaultdict(list)
AFTER: dict[Key, list[AfterHook]] = defaultdict(list)


def answers(service: str, *actions: str) -> Callable[[AnswerHook], AnswerHook]:
    """Register a coroutine that answers these actions instead of an emulator.

    It may return ``None`` to leave a call to the emulator after all.
    """

    def register(hook: AnswerHook) -> AnswerHook:
        for action in actions:
            ANSWERS[service, action] = hook
        return hook

    return register


def before(service: str, *actions: str) -> Callable[[BeforeHook], BeforeHook]:
    """Register a coroutine that refuses a call, or edits it on its way to the emulator."""

    def register(hook: BeforeHook) -> BeforeHook:
        for action in actions:
            BEFORE[service, action].append(hook)
        return hook

    return register


def after(service: str, *actions: str) -> Callable[[AfterHook], AfterHook]:
    """Register a coroutine that edits an emulator's answer, errors included."""

    def register(hook: AfterHook) -> AfterHook:
        for action in actions:
            AFTER[service, action].append(hook)
        return hook

    return register


def has_hooks(service: str, action: str) -> bool:
    """Whether a hook is registered for this action, so that the body has to be read."""
    key = (service, action)
    return key in ANSWERS or key in BEFORE or key in AFTER
