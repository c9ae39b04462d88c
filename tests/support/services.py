"""A local cloud of the tests' own (no machines), for modules of services that moto alone does not have."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from tests.support.modules import PROJECT, Account

PYTHONS = {"moto": "CLICKSTREAM_MOTO_PYTHON", "ministack": "CLICKSTREAM_MINISTACK_PYTHON"}


class Cloud(Account):
    """An account behind the project's own endpoint: every service, and what AWS refuses is refused."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.s3 = self.client("s3")
        self.ssm = self.client("ssm")
        self.logs = self.client("logs")
        self.functions = self.client("lambda")
        self.events = self.client("events")
        self.gateway = self.client("apigatewayv2")

    def pending(self, name: str, /, needs: str, **arguments: Any) -> None:
        """Without ``needs`` the module is pending in check mode, and fails with the fix for real."""
        told = self.ok(name, check=True, **arguments)
        assert (told["changed"], told.get("pending")) == (True, needs)
        wrote = len(self.writes)
        failed = self.run(name, **arguments)
        assert failed["failed"] and needs in failed["msg"] and "Fix:" in failed["msg"]
        assert self.writes[wrote:] == []


@contextmanager
def emulated_cloud() -> Iterator[Cloud]:
    """A fresh local cloud on free ports; nothing of it is left afterwards."""
    name = f"modules{os.getpid()}"
    pythons = {
        kind: os.environ.get(key, str(PROJECT / f".cache/venv-{kind}/bin/python"))
        for kind, key in PYTHONS.items()
    }
    port = _free_ports(4)
    start = ["--endpoint-port", str(port), "--no-machines"]
    for kind, python in pythons.items():
        start += [f"--{kind}-python", python]
    _local_cloud("start", "--name", name, *start)
    try:
        yield Cloud(f"http://127.0.0.1:{port}")
    finally:
        _local_cloud("stop", "--name", name)


def _free_ports(count: int) -> int:
    """The first of so many TCP ports of 127.0.0.1, one after the other, that nobody listens on."""
    for first in random.sample(range(20000, 30000, count), 100):
        with suppress(OSError), ExitStack() as probes:
            for port in range(first, first + count):
                probes.enter_context(socket.socket()).bind(("127.0.0.1", port))
            return first
    raise AssertionError("no free ports")


def _local_cloud(*arguments: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "local_cloud", *arguments], cwd=PROJECT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
