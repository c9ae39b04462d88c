"""Processes that outlive the command that started them, without an init system.

A record identifies a daemon: process id, start time and boot id. A record whose process has ended,
or whose id another process has now, counts as "not running": only processes that this project
started are ever signalled.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from local_cloud.errors import CloudError


def boot_id() -> str:
    """Return the id of this boot of the machine."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def start_time(pid: int) -> int | None:
    """Return a process's start time in clock ticks since boot; ``None`` if it has ended."""
    try:
        # the command name may hold spaces and brackets: count the fields after its last one
        after = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if after[0] in "ZX" else int(after[19])


@dataclass(frozen=True)
class Record:
    """A process that was started; ``recipe`` is the fingerprint of what it was made from."""

    pid: int
    started: int
    boot: str
    recipe: str = ""

    @property
    def alive(self) -> bool:
        """Whether exactly this process is still there."""
        return self.boot == boot_id() and start_time(self.pid) == self.started

    def save(self, file: Path) -> None:
        """Write the record."""
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(asdict(self)) + "\n")


def record_of(pid: int, recipe: str = "") -> Record:
    """Make the record of a process that runs now."""
    started = start_time(pid)
    return Record(pid, -1 if started is None else started, boot_id(), recipe)


def read_record(file: Path) -> Record | None:
    """Read a record; ``None`` if there is none, or it is not one."""
    try:
        return Record(**json.loads(file.read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def recipe(*parts: str) -> str:
    """Return a short fingerprint of what a process or an image is made from."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]


def spawn(
    argv: Sequence[str], *, env: Mapping[str, str], log: Path, cwd: Path, group: Path | None = None
) -> int:
    """Start a program in a session of its own and return its process id.

    It keeps no descriptor of the caller: standard input is empty, output is appended to
    ``log``. ``group`` is a cgroup directory to start it in.
    """
    log.parent.mkdir(parents=True, exist_ok=True)
    if group is not None:
        # the shell enters the cgroup and then execs the program, which so never runs outside of it
        enter = f'echo $$ > "{group}/cgroup.procs" && exec "$@"'
        argv = ["/bin/sh", "-c", enter, "sh", *argv]
    with log.open("ab") as out:
        child = subprocess.Popen(
            argv,
            env=dict(env),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
    return child.pid


def _signal_session(record: Record, number: int) -> None:
    """Signal the process's own group; it was made a session leader by :func:`spawn`."""
    if not record.alive:
        return
    with contextlib.suppress(ProcessLookupError):
        if os.getpgid(record.pid) == record.pid:
            os.killpg(record.pid, number)
        else:
            os.kill(record.pid, number)


def stop(record: Record, *, patience: float = 10.0) -> bool:
    """End a process and its session; return whether there was anything to end."""
    if not record.alive:
        return False
    _signal_session(record, signal.SIGTERM)
    if not gone(record, patience):
        _signal_session(record, signal.SIGKILL)
        gone(record, 5.0)
    return True


def gone(record: Record, patience: float) -> bool:
    """Wait at most ``patience`` seconds for a process to end; return whether it has."""
    until = time.monotonic() + patience
    while record.alive:
        if time.monotonic() > until:
            return False
        # a child of ours stays a zombie until it is waited for
        with contextlib.suppress(ChildProcessError):
            os.waitpid(record.pid, os.WNOHANG)
        time.sleep(0.02)
    return True


def listening(host: str, port: int) -> bool:
    """Return whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def wait_for_port(host: str, port: int, record: Record, log: Path, seconds: float = 30.0) -> None:
    """Wait until a started daemon accepts connections.

    Raises :class:`CloudError` with the end of its log when it ends, or does not listen in time.
    """
    until = time.monotonic() + seconds
    while not listening(host, port):
        if not record.alive or time.monotonic() > until:
            raise CloudError(
                f"{log.stem} did not come up on {host}:{port} ({last_line(log)})",
                f"read {log}",
            )
        time.sleep(0.03)


def last_line(log: Path) -> str:
    """Return the last non-empty line of a log, for an error message."""
    try:
        lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip()]
    except FileNotFoundError:
        return "no log"
    return lines[-1].strip() if lines else "empty log"


def run(argv: Sequence[str], *, fix: str, env: Mapping[str, str] | None = None) -> str:
    """Run a program to its end and return what it printed.

    Raises :class:`CloudError` with the last line of its errors when it fails.
    """
    done = subprocess.run(
        argv, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False
    )
    if done.returncode:
        words = (done.stderr or done.stdout).strip().splitlines() or ["no message"]
        raise CloudError(f"{argv[0]} failed ({words[-1].strip()})", fix)
    return done.stdout
