"""A local cloud of the tests' own (no machines), for modules of services that moto alone does not have."""

from __future__ import annotations

import itertools
import json
import os
import random
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

from botocore.exceptions import ClientError

from tests.support.modules import PROJECT, Account
from tests.support.tasks import BY_FUNCTION

NUMBERS = itertools.count(1)
"""A test may have two clouds at the same time."""

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
        self.sqs = self.client("sqs")
        self.gateway = self.client("apigatewayv2")
        self.cognito = self.client("cognito-idp")

    def pending(self, name: str, /, needs: str, **arguments: Any) -> None:
        """Without ``needs`` the module is pending in check mode, and fails with the fix for real."""
        told = self.ok(name, check=True, **arguments)
        assert (told["changed"], told.get("pending")) == (True, needs)
        wrote = len(self.writes)
        failed = self.run(name, **arguments)
        assert failed["failed"] and needs in failed["msg"] and "Fix:" in failed["msg"]
        assert self.writes[wrote:] == []


@contextmanager
def emulated_cloud(lambda_interface_seconds: int = 3) -> Iterator[Cloud]:
    """A fresh local cloud on free ports; nothing of it is left afterwards."""
    name = f"modules{os.getpid()}n{next(NUMBERS)}"
    pythons = {
        kind: os.environ.get(key, str(PROJECT / f".cache/venv-{kind}/bin/python"))
        for kind, key in PYTHONS.items()
    }
    port = free_ports(4)
    start = ["--endpoint-port", str(port), "--no-machines"]
    start += ["--lambda-interface-seconds", str(lambda_interface_seconds)]
    for kind, python in pythons.items():
        start += [f"--{kind}-python", python]
    try:
        _local_cloud("start", "--name", name, *start)
        yield Cloud(f"http://127.0.0.1:{port}")
    finally:
        _local_cloud("stop", "--name", name)


def free_ports(count: int) -> int:
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


def gone(read: Callable[[], Any]) -> bool:
    """Whether AWS says that there is no such thing."""
    try:
        read()
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert any(word in code for word in ("404", "NoSuch", "NotFound", "InvalidDocument")), code
        return True
    return False


def tag_map(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def permissions(cloud: Cloud) -> dict[str, Any]:
    try:
        answer = cloud.functions.get_policy(**BY_FUNCTION)
    except ClientError:
        return {}
    return {item["Sid"]: item for item in json.loads(answer["Policy"])["Statement"]}
