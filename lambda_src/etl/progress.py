"""What a run has listed, and how far it has come."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

REPORTED_FAILURES: Final = 10
"""How many failures an answer lists; all of them are in `etl_object_failures`."""


@dataclass(slots=True)
class Progress:
    """What a run has listed, and how far it has come. Objects are listed in the order of their keys."""

    listed: int = 0
    skipped: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    """The first failures: key and error."""
    listed_from: str | None = None
    """The watermark, where the listing began with it."""
    reread: set[str] = field(default_factory=set)
    """Objects in progress that may have been loaded before."""
    reached: str = ""
    """The last key that was listed and either skipped or begun."""
    pending: dict[str, str] = field(default_factory=dict)
    """Objects in progress, in their order: key -> the key that was reached before it."""
    set_aside: int = 0
    """How many objects this run has set aside, or left so."""
    out_of_time: bool = False
    cut_off: bool = False
    """Whether the time was over within a chunk: nothing more is loaded, so that keys are settled in order."""

    @property
    def done(self) -> str:
        """The key up to which every listed object is loaded, skipped or reported as failed."""
        return next(iter(self.pending.values()), self.reached)

    def begin(self, key: str) -> None:
        """Note that an object is in progress."""
        self.pending[key] = self.reached
        self.reached = key

    def settle(self, keys: Iterable[str]) -> None:
        """Note that objects are loaded or reported as failed."""
        for key in keys:
            self.pending.pop(key, None)

    def report(self, key: str, error: str) -> None:
        """Keep a failure for the answer, if it is among the first."""
        if len(self.failures) < REPORTED_FAILURES:
            self.failures.append({"key": key, "error": error})
