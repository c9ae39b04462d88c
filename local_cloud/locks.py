"""A lock file: one start or stop at a time in a clone."""

from __future__ import annotations

import contextlib
import fcntl
from collections.abc import Iterator
from pathlib import Path


def _file(clone: Path) -> Path:
    return clone / ".local_cloud/lock"


@contextlib.contextmanager
def hold(clone: Path) -> Iterator[None]:
    """Hold the clone's lock; wait for it first."""
    file = _file(clone)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def is_held(clone: Path) -> bool:
    """Return whether another process holds the lock of a clone."""
    try:
        with _file(clone).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False
