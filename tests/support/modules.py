"""Run a module of the collection in this process, against an emulated AWS, and see what it called."""

from __future__ import annotations

import io
import json
import os
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
import botocore.client
import botocore.waiter
from ansible.module_utils.testing import patch_module_args
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils import ec2, resource
from tests.support import returns

PROJECT = Path(__file__).resolve().parents[2]
REGION = "ap-southeast-1"
READING = ("Describe", "Get", "List", "Head")

IMPATIENT = SimpleNamespace(sleep=lambda seconds: time.sleep(min(seconds, 0.1)), monotonic=time.monotonic)
"""For what asks AWS every few seconds, botocore's waiters and ours: an emulator is done sooner."""

Act = Callable[[Any], Any]
"""What somebody does by hand to an account (Account or Cloud)."""


class Account:
    """An emulated account; ``writes`` are the mutating operations that modules have called in it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.writes: list[str] = []
        self._clients: dict[str, Any] = {}
        self.ec2 = self.client("ec2")
        self.iam = self.client("iam")

    def client(self, service: str) -> Any:
        """A client of the account; made once, for that takes longer than most modules."""
        if service not in self._clients:
            self._clients[service] = boto3.client(
                service,
                endpoint_url=self.endpoint,
                region_name=REGION,
                aws_access_key_id="test",
                aws_secret_access_key="test",
            )
        return self._clients[service]

    def reset(self) -> None:
        """An empty account."""
        reset = urllib.request.Request(f"{self.endpoint}/moto-api/reset", method="POST")  # noqa: S310
        urllib.request.urlopen(reset)  # noqa: S310 - our own http address
        self.writes.clear()

    def run(self, name: str, /, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """The result of the module ``clickstream.aws.<name>``, which must be as its RETURN says.

        In check mode the module must write nothing.
        """
        module = import_module(f"ansible_collections.clickstream.aws.plugins.modules.{name}")
        make = botocore.client.BaseClient._make_api_call
        wrote = len(self.writes)

        def recorded(client: Any, operation: str, *more: Any) -> Any:
            if not operation.startswith(READING):
                self.writes.append(operation)
            return make(client, operation, *more)

        environment = {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": REGION,
        }
        given = {**arguments, "_ansible_check_mode": check, "_ansible_diff": True}
        with (
            mock.patch.dict(os.environ, environment),
            mock.patch.object(botocore.client.BaseClient, "_make_api_call", recorded),
            mock.patch.object(botocore.waiter, "time", IMPATIENT),
            mock.patch.object(resource, "time", IMPATIENT),
            mock.patch.object(ec2, "time", IMPATIENT),
            mock.patch.object(AnsibleAWSModule, "client", lambda _, service, **_more: self.client(service)),
            patch_module_args(given),
            redirect_stdout(io.StringIO()) as out,
            suppress(SystemExit),
        ):
            module.main()
        if check:
            assert self.writes[wrote:] == []
        result = dict(json.loads(out.getvalue().splitlines()[-1]))
        if not result.get("failed"):
            assert returns.faults(module.RETURN, result) == []
        return result

    def ok(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """The result of a module that must not fail."""
        result = self.run(name, **arguments)
        assert not result.get("failed"), result["msg"]
        return result

    def converge(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """check → apply → repeat: would, does, and then finds nothing to do. Returns the apply's result."""
        told = self.ok(name, check=True, **arguments)
        done = self.ok(name, **arguments)
        wrote = len(self.writes)
        again, again_told = self.ok(name, **arguments), self.ok(name, check=True, **arguments)
        seen = [result["changed"] for result in (told, done, again, again_told)]
        assert seen == [True, True, False, False], (seen, again.get("diff"))
        assert self.writes[wrote:] == [], "an unchanged resource was written to"
        return done


def moto_python() -> str:
    """The Python that has moto[server]: CLICKSTREAM_MOTO_PYTHON, or the local cloud's venv."""
    return os.environ.get("CLICKSTREAM_MOTO_PYTHON", str(PROJECT / ".cache/venv-moto/bin/python"))


def free_port() -> int:
    """A TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def emulated_account(scratch: Path) -> Iterator[Account]:
    """moto on a free port of its own, as the local cloud runs it (local_cloud/moto_server.py)."""
    from local_cloud import amis

    images = scratch / "images.json"
    images.write_text(amis.images_json())
    port = free_port()
    log = (scratch / "moto.log").open("wb")
    server = subprocess.Popen(
        [moto_python(), "-m", "local_cloud.moto_server", "-H", "127.0.0.1", "-p", str(port)],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(PROJECT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "MOTO_ACCOUNT_ID": "123456789012",
            "MOTO_AMIS_PATH": str(images),
            "MOTO_EC2_LOAD_DEFAULT_AMIS": "false",
            "AWS_DEFAULT_REGION": REGION,
        },
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    try:
        account = Account(f"http://127.0.0.1:{port}")
        limit = time.monotonic() + 120
        while True:
            try:
                account.reset()
                break
            except OSError:
                assert time.monotonic() < limit and server.poll() is None, "moto did not start"
                time.sleep(0.1)
        yield account
    finally:
        server.terminate()
        server.wait()
        log.close()
