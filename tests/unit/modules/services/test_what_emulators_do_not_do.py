"""What AWS does and no emulator here does: consistency that takes its time, failures inside successes, other
regions."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NoReturn
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.services import together
from ansible_collections.clickstream.aws.plugins.modules import lambda_function
from ansible_collections.clickstream.aws.plugins.modules.bucket import Bucket
from ansible_collections.clickstream.aws.plugins.modules.event_rule import EventRule
from ansible_collections.clickstream.aws.plugins.modules.lambda_function import LambdaFunction


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


@pytest.fixture
def naps() -> Iterator[list[float]]:
    """How long a module has slept, without the sleep."""
    slept: list[float] = []
    with mock.patch.object(lambda_function.time, "sleep", slept.append):
        yield slept


# --- a role that IAM has not made known everywhere yet


def assume(*, times: int, message: str, code: str = "InvalidParameterValueException") -> Callable[[], None]:
    """An action that fails so many times."""
    calls = iter(range(times + 1))

    def action() -> None:
        if next(calls) < times:
            raise error(code, message)

    return action


CANNOT = "The role defined for the function cannot be assumed by Lambda."


def test_a_new_role_is_waited_for(naps: list[float]) -> None:
    function = LambdaFunction(Module(mock.Mock(), foreign_permissions=[]))
    function.when_role_is_known(assume(times=3, message=CANNOT))
    assert naps == [1, 2, 3]


def test_a_role_that_never_comes_is_an_error_after_a_minute(naps: list[float]) -> None:
    function = LambdaFunction(Module(mock.Mock()))
    with pytest.raises(ClientError):
        function.when_role_is_known(assume(times=100, message=CANNOT))
    assert 50 < sum(naps) < 90


@pytest.mark.parametrize(
    ("code", "message"),
    [("InvalidParameterValueException", "Handler is invalid"), ("AccessDeniedException", CANNOT)],
)
def test_another_error_is_told_at_once(naps: list[float], code: str, message: str) -> None:
    function = LambdaFunction(Module(mock.Mock()))
    with pytest.raises(ClientError):
        function.when_role_is_known(assume(times=1, code=code, message=message))
    assert naps == []


# --- a function whose last update failed, or is not over


def described(**state: Any) -> Any:
    client = mock.Mock()
    client.get_function.return_value = {
        "Configuration": {"FunctionArn": "arn", "CodeSha256": "x", "Role": "r", **state}
    }
    client.get_policy.side_effect = error("ResourceNotFoundException")
    client.get_function_event_invoke_config.side_effect = error("ResourceNotFoundException")
    return client


@pytest.mark.parametrize("state", [{"State": "Failed"}, {"State": "Active", "LastUpdateStatus": "Failed"}])
def test_a_failed_update_is_drift_and_sent_again(state: dict[str, Any]) -> None:
    client = described(**state)
    function = LambdaFunction(Module(client, foreign_permissions=[]))
    current = function.read()
    assert current is not None and current["healthy"] is False
    function.update(current, {"configuration": {"Timeout": 3}}, frozenset({"healthy"}))
    client.update_function_configuration.assert_called_once_with(FunctionName="a", Timeout=3)


@pytest.mark.parametrize(
    "state", [{"State": "Inactive"}, {"State": "Active", "LastUpdateStatus": "Successful"}]
)
def test_an_idle_function_is_well(state: dict[str, Any]) -> None:
    current = LambdaFunction(Module(described(**state), foreign_permissions=[])).read()
    assert current is not None and current["healthy"] is True


@pytest.mark.parametrize(
    "state", [{"State": "Pending"}, {"State": "Active", "LastUpdateStatus": "InProgress"}]
)
def test_an_update_waits_for_the_one_before(state: dict[str, Any]) -> None:
    client = described(**state)
    function = LambdaFunction(Module(client, foreign_permissions=[]))
    current = function.read()
    assert current is not None
    function.update(current, {"configuration": {}}, frozenset({"configuration"}))
    steps = [
        call[0] for call in client.mock_calls if call[0] in ("get_waiter", "update_function_configuration")
    ]
    assert steps == ["get_waiter", "update_function_configuration", "get_waiter"]


# --- buckets


def s3(**answers: Any) -> Any:
    client = mock.Mock()
    client.head_bucket.return_value = {}
    for call, answer in answers.items():
        getattr(client, call).side_effect = answer
    return client


def test_a_bucket_in_the_oldest_region_names_no_region() -> None:
    client = s3()
    bucket = Bucket(Module(client, region="us-east-1"))
    with mock.patch.object(bucket, "read", return_value={}), mock.patch.object(bucket, "update"):
        bucket.create({})
    client.create_bucket.assert_called_once_with(Bucket="a", ObjectOwnership="BucketOwnerEnforced")


def test_a_bucket_elsewhere_names_its_region() -> None:
    client = s3()
    bucket = Bucket(Module(client, region="eu-central-1"))
    with mock.patch.object(bucket, "read", return_value={}), mock.patch.object(bucket, "update"):
        bucket.create({})
    place = client.create_bucket.call_args.kwargs["CreateBucketConfiguration"]
    assert place == {"LocationConstraint": "eu-central-1"}


def test_a_bucket_of_ours_in_another_region_is_an_error_with_the_fix() -> None:
    client = s3()
    client.head_bucket.return_value = {"BucketRegion": "eu-west-1"}
    with pytest.raises(FailedError, match=r"in region eu-west-1.*Fix: set platform_region"):
        Bucket(Module(client)).read()


@pytest.mark.parametrize("code", ["403", "AccessDenied"])
def test_a_name_that_is_taken_is_an_error_with_the_fix(code: str) -> None:
    with pytest.raises(FailedError, match="platform_bucket_suffix"):
        Bucket(Module(s3(head_bucket=error(code)))).read()
    assert Bucket(Module(s3(head_bucket=error(code)), state="absent")).read() is None


def test_a_name_that_is_taken_while_we_look_is_the_same_error() -> None:
    with pytest.raises(FailedError, match="platform_bucket_suffix"):
        Bucket(Module(s3(create_bucket=error("BucketAlreadyExists")))).create({})


def test_an_object_that_cannot_be_removed_is_told() -> None:
    client = s3()
    pages = [{"Versions": [{"Key": "k", "VersionId": "1"}]}]
    client.get_paginator.return_value.paginate.return_value = pages
    client.delete_objects.return_value = {"Errors": [{"Key": "k", "Message": "object lock"}]}
    with pytest.raises(FailedError, match="object k: object lock"):
        Bucket(Module(client, force=True)).empty()


# --- failures inside a success


def test_a_target_that_eventbridge_did_not_take_is_told() -> None:
    failed = {"TargetId": "function", "ErrorCode": "InternalException", "ErrorMessage": "try again"}
    rule = EventRule(Module(mock.Mock()))
    with pytest.raises(FailedError, match="target function: InternalException: try again"):
        rule.all_done({"FailedEntryCount": 1, "FailedEntries": [failed]})
    rule.all_done({"FailedEntryCount": 0, "FailedEntries": []})


def test_reads_side_by_side_raise_what_one_of_them_raises() -> None:
    def broken() -> None:
        raise error("Throttling")

    with pytest.raises(ClientError):
        together(good=lambda: 1, bad=broken)
    assert together(one=lambda: 1, two=lambda: 2) == {"one": 1, "two": 2}
