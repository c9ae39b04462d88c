"""An instance is waited for, and the message at the end of the wait says where to look."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.modules import ssm_instance_info as module


class Ssm:
    """Session Manager with one answer per question; the last is repeated."""

    def __init__(self, *answers: str | None) -> None:
        self.answers = list(answers)

    def describe_instance_information(self, Filters: list[dict[str, Any]]) -> dict[str, Any]:
        assert Filters == [{"Key": "InstanceIds", "Values": ["i-1"]}]
        status = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        return {"InstanceInformationList": [{"PingStatus": status}] if status else []}


@pytest.fixture(autouse=True)
def no_sleep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.time, "sleep", lambda seconds: None)


def test_it_waits_for_registration_and_ping() -> None:
    found = module.wait_until_online(Ssm(None, "ConnectionLost", "Online"), "i-1", 60)
    assert module.is_online(found)


def test_without_a_limit_it_only_asks() -> None:
    assert not module.is_online(module.wait_until_online(Ssm(None, "Online"), "i-1", 0))


def test_the_message_names_every_cause_and_quotes_the_console() -> None:
    message = module.unreachable("i-1", 300, "never registered", "agent: sha256 mismatch")
    for hint in (
        "console output",
        "instance profile",
        "endpoints ssm",
        "S3 endpoint",
        "mismatch",
    ):
        assert hint in message


def test_the_console_is_cut_and_its_absence_is_no_failure() -> None:
    class Ec2:
        def get_console_output(self, InstanceId: str, Latest: bool = False) -> dict[str, str]:
            if Latest:  # what a type that is not Nitro answers
                raise ClientError({"Error": {"Code": "UnsupportedOperation"}}, "GetConsoleOutput")
            return {"Output": "\n".join(str(line) for line in range(100))}

    class Refusing:
        def get_console_output(self, InstanceId: str, Latest: bool = False) -> dict[str, str]:
            raise ClientError(
                {"Error": {"Code": "UnauthorizedOperation", "Message": "no"}}, "GetConsoleOutput"
            )

    assert module.console_end(Ec2(), "i-1").splitlines()[-1] == "99"
    assert len(module.console_end(Ec2(), "i-1").splitlines()) == module.CONSOLE_LINES
    assert "no console output" in module.console_end(Refusing(), "i-1")
