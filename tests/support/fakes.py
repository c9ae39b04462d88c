"""As much of AnsibleAWSModule as a resource uses, for what no emulator does."""

from __future__ import annotations

from typing import Any, NoReturn

from botocore.exceptions import ClientError


class FailedError(Exception):
    """fail_json's message."""


class Module:
    """As much of AnsibleAWSModule as a resource uses."""

    check_mode = False

    def __init__(self, client: Any, region: str = "ap-southeast-1", **params: Any) -> None:
        self.params = {"name": "a", "state": "present", **params}
        self.region = region
        self._client = client

    def client(self, _service: str) -> Any:
        return self._client

    def fail_json(self, msg: str) -> NoReturn:
        raise FailedError(msg)


def error(code: str, message: str = "") -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": message}}, "Operation")
