"""Control groups of the machines, on pure version 2 and on hybrid systems."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from local_cloud.errors import CloudError
from local_cloud.settings import Settings


def hierarchy(mounts: str) -> Path | None:
    """Return where the version 2 hierarchy is mounted, given ``/proc/mounts``."""
    for line in mounts.splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    return None


def parent(settings: Settings) -> Path:
    """Return the group that all machines of a cloud lie in."""
    top = hierarchy(Path("/proc/mounts").read_text())
    if top is None or not os.access(top, os.W_OK):
        raise CloudError(
            "no writable cgroup version 2 hierarchy is mounted",
            "run on the machine itself or in a privileged container",
        )
    # with the bridge's suffix the name is this clone's alone: stopping a cloud ends all that is in its group
    return top / f"local_cloud-{settings.name}-{settings.bridge.rpartition('-')[2]}"


def make(settings: Settings, machine: str) -> Path:
    """Make a machine's group with its own sub-group for sessions; two machines must not share."""
    group = parent(settings) / machine
    (group / "sessions").mkdir(parents=True, exist_ok=True)
    return group


def remove_shadows(settings: Settings) -> None:
    """Remove the empty groups that nspawn makes alongside in the old hierarchies of a hybrid system."""
    for line in Path("/proc/mounts").read_text().splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup":
            remove(Path(where) / parent(settings).name)


def remove(group: Path, patience: float = 5.0) -> None:
    """End everything in a group and remove it with its sub-groups."""
    if not group.exists():
        return
    until = time.monotonic() + patience
    while True:
        _kill(group)
        for directory, _, _ in sorted(os.walk(group), reverse=True):
            with contextlib.suppress(OSError):
                Path(directory).rmdir()
        if not group.exists() or time.monotonic() > until:
            return
        time.sleep(0.05)


def _kill(group: Path) -> None:
    switch = group / "cgroup.kill"
    with contextlib.suppress(OSError):
        switch.write_text("1")
        return
    for file in group.rglob("cgroup.procs"):
        for pid in file.read_text().split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(pid), signal.SIGKILL)
