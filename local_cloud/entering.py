"""Enters a machine's namespaces, without a helper program and without slow imports.

Ansible opens a session per task, so every millisecond here is paid hundreds of times.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
from collections.abc import Callable
from dataclasses import dataclass

SETNS: Callable[[int, int], object] = getattr(os, "setns", None) or ctypes.CDLL(None, use_errno=True).setns
_KINDS = ("cgroup", "ipc", "uts", "net", "pid", "mnt")
"""The mount namespace comes last: after it, this computer's /proc cannot be read."""

ENVIRONMENT = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "LANG": "C.UTF-8",
    "TERM": "xterm-256color",
}


class NotRunningError(Exception):
    """The machine does not run."""


@dataclass(frozen=True)
class User:
    """A user of the machine."""

    name: str
    uid: int
    gid: int
    home: str


def leader(place: str) -> tuple[int, str]:
    """Return the first process of the machine in a directory, and its cgroup."""
    try:
        with open(f"{place}/run.json") as file:  # noqa: PTH123 - pathlib costs 5 ms to import
            run = json.load(file)
        pid = int(run["leader"]["pid"])
        with open(f"/proc/{pid}/stat") as file:  # noqa: PTH123
            started = int(file.read().rpartition(")")[2].split()[19])
    except (OSError, ValueError, KeyError) as error:
        raise NotRunningError(f"machine {place} does not run") from error
    if started != run["leader"]["started"]:
        raise NotRunningError(f"machine {place} does not run")
    return pid, str(run["group"])


def open_network(pid: int) -> int:
    """Return a descriptor of a process's network namespace."""
    return os.open(f"/proc/{pid}/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def enter(place: str) -> Callable[[], None]:
    """Move this process into a machine; its children will be inside completely.

    Import everything before the call: afterwards paths are those of the machine's disk. The function
    that is returned takes this process back to its own files and network.
    """
    pid, group = leader(place)
    before = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in ("net", "mnt")]
    try:
        namespaces = [os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY | os.O_CLOEXEC) for kind in _KINDS]
        # checked again: the process id may have been reused before the namespaces were opened
        leader(place)
        with open(f"{group}/sessions/cgroup.procs", "w") as file:  # noqa: PTH123
            file.write(str(os.getpid()))
        for descriptor in namespaces:
            if SETNS(descriptor, 0) == -1:
                number = ctypes.get_errno()
                raise OSError(number, os.strerror(number))
            os.close(descriptor)
    except OSError as error:
        # a machine may end at any moment
        raise NotRunningError(f"machine {place} cannot be entered ({error.strerror})") from error

    def leave() -> None:
        for descriptor in before:
            SETNS(descriptor, 0)

    return leave


def user(name: str) -> User:
    """Return a user of the machine this process has entered.

    The file is read here because looking names up through the C library would load the
    machine's libraries into this process.
    """
    with open("/etc/passwd") as file:  # noqa: PTH123
        for line in file:
            fields = line.rstrip("\n").split(":")
            if fields[0] == name:
                return User(name, int(fields[2]), int(fields[3]), fields[5])
    raise NotRunningError(f"the machine has no user {name}")


def fork() -> int:
    """Fork; the child is inside the machine. Raises :class:`NotRunningError` if it has ended since."""
    try:
        return os.fork()
    except OSError as error:
        raise NotRunningError(f"the machine does not run any more ({error.strerror})") from error


def restore_signals() -> None:
    """Give every signal its default action, as a program has that the machine itself starts.

    Ignored signals are inherited. Python ignores SIGPIPE, so a shell would report I/O errors; the
    caller may ignore others: under nohup (SIGHUP), a shell would not end with its terminal.
    """
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def become(who: User) -> None:
    """Give up root for good."""
    os.setgroups([who.gid])
    os.setgid(who.gid)
    os.setuid(who.uid)
