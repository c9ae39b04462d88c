"""Runs a module in a fork of this process, instead of in a Python that first has to start and to import.

What a module imports (Ansible's libraries for modules, boto3) takes longer than its work. Here it is imported
once, and apart from this process's own Ansible: the same libraries do other things in a module, where a
warning is part of the result and is not shown. A fork that becomes a module has the one instead of the other.
"""

from __future__ import annotations

import atexit
import logging
import os
import signal
import sys
import traceback
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import NoReturn

COMMON = (
    "ansible.module_utils.basic",
    "ansible_collections.clickstream.aws.plugins.module_utils.ec2",
    "ansible_collections.clickstream.aws.plugins.module_utils.resource",
    "ansible_collections.clickstream.aws.plugins.module_utils.services",
)
"""What most modules import. What else one imports is imported in its fork."""


def run(source: bytes, directory: str) -> tuple[int, bytes, bytes]:
    """Run a module as Ansible packs it, which is a Python program; its exit code, output and errors.

    It ends as in a process of its own: with its environment, signals and directory, and what it leaves open.
    """
    libraries = imports()
    # in memory, because there may be secrets in it; a pipe would have to be read until all have closed it
    output, errors = os.memfd_create("output"), os.memfd_create("errors")
    process = os.fork()
    if process == 0:
        _become(source, directory, libraries, output, errors)
    _, status = os.waitpid(process, 0)
    code = os.waitstatus_to_exitcode(status)
    if code < 0:  # as the shell says it
        os.write(errors, f"{signal.strsignal(-code)}\n".encode())
    return code if code >= 0 else 128 - code, _content(output), _content(errors)


@cache
def imports() -> dict[str, ModuleType]:
    """Ansible's libraries and collections as a module imports them."""
    ours = _without_ansible()
    try:
        for name in COMMON:
            import_module(name)
    finally:
        imported = _without_ansible()
        sys.modules.update(ours)
    return imported


def _without_ansible() -> dict[str, ModuleType]:
    """Take what is Ansible's out of what is imported."""
    names = [name for name in sys.modules if name.partition(".")[0] in ("ansible", "ansible_collections")]
    return {name: sys.modules.pop(name) for name in names}


def _content(number: int) -> bytes:
    with open(number, "rb") as file:
        file.seek(0)
        return file.read()


def _become(
    source: bytes, directory: str, libraries: dict[str, ModuleType], output: int, errors: int
) -> NoReturn:
    """Be the module. Nothing of what called this happens in this process any more."""
    code = 1
    try:
        _forget()
        for number, stream in enumerate((os.open(os.devnull, os.O_RDONLY), output, errors)):
            os.dup2(stream, number)
        sys.stdin, sys.stdout, sys.stderr = os.fdopen(0), os.fdopen(1, "w"), os.fdopen(2, "w")
        os.chdir(directory)
        _without_ansible()
        sys.modules.update(libraries)
        main = sys.modules["__main__"] = ModuleType("__main__")
        sys.argv = ["-"]
        exec(compile(source, "<stdin>", "exec"), main.__dict__)  # noqa: S102 - what Ansible would give a Python
        code = 0
    except SystemExit as end:
        if end.code is None or isinstance(end.code, int):
            code = end.code or 0
        else:
            print(end.code, file=sys.stderr)
    except BaseException:
        traceback.print_exc()
    finally:
        try:
            atexit._run_exitfuncs()
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def _forget() -> None:
    """Handlers that are the parent's: what it does when it ends, at a signal, with a log record."""
    atexit._clear()
    logging.root.handlers.clear()
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
