"""``enter-machine MACHINE COMMAND…``: run a command as root inside a machine, like chroot.

MACHINE is a machine's root directory, or its name. Ansible's ``community.general.chroot``
connection takes it as ``ansible_chroot_exe``, with the root directory as the host's address;
the command then runs among the machine's services, not just in its files.
"""

from __future__ import annotations

import glob
import os
import signal
import sys

from local_cloud import entering

_STATE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), ".local_cloud")  # noqa: PTH100,PTH118,PTH120 - see entering.leader


def place_of(machine: str) -> str:
    """Return the directory of a machine given by its root or by its name."""
    if "/" in machine:
        return os.path.dirname(os.path.abspath(machine))  # noqa: PTH100,PTH120
    found = glob.glob(f"{_STATE}/*/machines/{glob.escape(machine)}")  # noqa: PTH207
    if len(found) != 1:
        raise entering.NotRunningError(
            f"{len(found)} machines are named {machine}; give its root directory"
            if found
            else f"there is no machine {machine}"
        )
    return found[0]


def main(arguments: list[str]) -> int:
    """Run the command; return its exit code."""
    if len(arguments) < 2:
        sys.stderr.write("usage: enter-machine MACHINE COMMAND [ARGUMENT]...\n")
        return 125
    try:
        entering.enter(place_of(arguments[0]))
        child = entering.fork()
    except entering.NotRunningError as error:
        sys.stderr.write(f"enter-machine: {error}\n")
        return 125
    if child == 0:
        _execute(arguments[1:])
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(child, number))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return status if status >= 0 else 128 - status


def _execute(command: list[str]) -> None:
    """Become the command; never returns."""
    try:
        entering.restore_signals()
        os.chdir("/root")
        env = {**entering.ENVIRONMENT, "HOME": "/root", "USER": "root", "LOGNAME": "root"}
        os.execvpe(command[0], command, env)  # noqa: S606 - what it is for
    except OSError as error:
        sys.stderr.write(f"enter-machine: {command[0]}: {error.strerror}\n")
    finally:
        os._exit(127)
