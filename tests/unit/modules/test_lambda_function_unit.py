"""The module lambda_function: Lambda's answers in one form; new roles and updates that take their time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import InvalidInput
from ansible_collections.clickstream.aws.plugins.modules.lambda_function import (
    LambdaFunction,
    described_asynchronous,
    described_configuration,
    orphaned,
    reservable,
)
from tests.support.fakes import FailedError, Module, error


def test_a_function_in_no_vpc_and_without_extras_has_one_form() -> None:
    short = described_configuration({"Handler": "a.b", "Role": "r", "Runtime": "python3.13"})
    empty = {
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""},
        "Layers": [],
        "Description": "",
    }
    long = described_configuration({"Handler": "a.b", "Role": "r", "Runtime": "python3.13", **empty})
    assert short == long
    assert short["VpcConfig"] == {"SecurityGroupIds": [], "SubnetIds": []}


def test_the_rule_for_asynchronous_calls_has_the_tasks_form() -> None:
    answer = {
        "MaximumRetryAttempts": 0,
        "DestinationConfig": {"OnFailure": {"Destination": "arn"}, "OnSuccess": {}},
    }
    assert described_asynchronous(answer) == {"max_retries": 0, "max_age_seconds": 21600, "on_failure": "arn"}
    assert described_asynchronous(None) is None


@pytest.fixture
def naps() -> Iterator[list[float]]:
    """How long a module has slept, without the sleep."""
    slept: list[float] = []
    with mock.patch.object(time, "sleep", slept.append):
        yield slept


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


def test_a_right_that_the_role_has_not_is_an_error_with_the_fix(naps: list[float]) -> None:
    function = LambdaFunction(Module(mock.Mock()))
    told = "The function's execution role does not have permissions to call SendMessage on arn:aws:sqs:q"
    with pytest.raises(FailedError, match=r"SendMessage on arn:aws:sqs:q\. Fix: .*docs/role-boundary\.json"):
        function.when_role_is_known(assume(times=100, message=told))
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
    client.get_function_configuration.return_value = {"State": "Active", "LastUpdateStatus": "Successful"}
    function.update(current, {"configuration": {"Timeout": 3}}, frozenset({"healthy"}))
    client.update_function_configuration.assert_called_once_with(FunctionName="a", Timeout=3)


@pytest.mark.parametrize(
    "state", [{"State": "Inactive"}, {"State": "Active", "LastUpdateStatus": "Successful"}]
)
def test_an_idle_function_is_well(state: dict[str, Any]) -> None:
    current = LambdaFunction(Module(described(**state), foreign_permissions=[])).read()
    assert current is not None and current["healthy"] is True


@pytest.mark.parametrize(
    "state",
    [
        {"State": "Pending", "LastUpdateStatus": "Successful"},
        {"State": "Active", "LastUpdateStatus": "InProgress"},
    ],
)
@pytest.mark.usefixtures("naps")
def test_an_update_waits_for_the_one_before(state: dict[str, Any]) -> None:
    client = described(**state)
    function = LambdaFunction(Module(client, foreign_permissions=[]))
    current = function.read()
    assert current is not None
    done = {"State": "Active", "LastUpdateStatus": "Successful"}
    client.get_function_configuration.side_effect = [state, state, done, done]
    function.update(current, {"configuration": {}}, frozenset({"configuration"}))
    look, change = "get_function_configuration", "update_function_configuration"
    steps = [call[0] for call in client.mock_calls if call[0] in (look, change)]
    assert steps == [look, look, look, change, look]


@pytest.mark.usefixtures("naps")
def test_a_function_that_is_still_made_is_removed_when_it_is_done() -> None:
    """Until then Lambda answers ResourceConflictException."""
    client = described(State="Pending")
    function = LambdaFunction(Module(client, foreign_permissions=[]))
    current = function.read()
    assert current is not None
    client.get_function_configuration.side_effect = [{"State": "Pending"}, {"State": "Active"}]
    client.get_function.side_effect = [client.get_function.return_value, error("ResourceNotFoundException")]
    client.mock_calls.clear()
    function.delete(current)
    look = "get_function_configuration"
    assert [call[0] for call in client.mock_calls][:3] == [look, look, "delete_function"]


@pytest.mark.parametrize(
    ("created", "arn", "lost"),
    [("12:00:01", "r", True), ("11:59:59", "r", False), ("12:00:01", "another", False)],
)
def test_a_role_that_is_younger_than_the_function_is_another(created: str, arn: str, lost: bool) -> None:
    function = {"Role": "r", "LastModified": "2026-11-29T12:00:00.123+0000"}
    role = {"Arn": arn, "CreateDate": datetime.fromisoformat(f"2026-11-29T{created}+00:00")}
    assert orphaned(function, role) is lost
    assert not orphaned(function, None)


@pytest.mark.usefixtures("naps")
def test_a_function_whose_role_was_made_anew_is_made_anew(tmp_path: Path) -> None:
    """What others have granted to it stays."""
    granted = {"Sid": "http-api", "Principal": {"Service": "apigateway.amazonaws.com"}, "Action": "a"}
    client = described(State="Active", LastModified="2026-11-29T12:00:00.123+0000")
    client.get_policy.side_effect = [{"Policy": json.dumps({"Statement": [granted]})}]
    client.get_role.return_value = {
        "Role": {"Arn": "r", "CreateDate": datetime.fromisoformat("2026-11-29T12:00:01+00:00")}
    }
    code = tmp_path / "code.zip"
    code.write_bytes(b"zip")
    function = LambdaFunction(Module(client, role="r", foreign_permissions=["http-api"], zip=str(code)))
    current = function.read()
    assert current is not None and current["healthy"] is False
    client.get_function.side_effect = error("ResourceNotFoundException")
    client.get_function_configuration.return_value = {"State": "Active"}
    none: dict[str, Any] = {"reserved_concurrency": None, "permissions": {}, "asynchronous": None, "tags": {}}
    wanted = {"configuration": {}, "code": {"architecture": "arm64"}, **none}
    function.update(current, wanted, frozenset({"healthy"}))
    changes = [call[0] for call in client.mock_calls if not call[0].startswith("get_")]
    assert changes == ["delete_function", "create_function", "add_permission"]
    assert client.add_permission.call_args.kwargs["StatementId"] == "http-api"


@pytest.mark.usefixtures("naps")
def test_a_function_that_lambda_does_not_know_yet_is_waited_for() -> None:
    client = described(State="Active")
    client.get_function_configuration.side_effect = [
        error("ResourceNotFoundException"),
        {"State": "Pending"},
        {"State": "Active", "LastUpdateStatus": "Successful"},
    ]
    LambdaFunction(Module(client)).wait()
    assert client.get_function_configuration.call_count == 3


@pytest.mark.parametrize("status", ["State", "LastUpdateStatus"])
def test_a_change_that_fails_is_told_at_once_with_lambdas_reason(naps: list[float], status: str) -> None:
    client = mock.Mock()
    why = {f"{status}ReasonCode": "SubnetOutOfIPAddresses", f"{status}Reason": "no address is free"}
    client.get_function_configuration.return_value = {"State": "Active", status: "Failed", **why}
    told = "SubnetOutOfIPAddresses: no address is free.*Fix: "
    with pytest.raises(FailedError, match=told):
        LambdaFunction(Module(client)).wait()
    assert naps == []


@pytest.mark.parametrize(
    ("everything", "others", "own", "left"),
    [
        (1000, 0, 0, 900),
        (1000, 0, 100, 900),
        (1000, 850, 0, 50),
        (1000, 850, 50, 50),
        (10, 0, 0, 0),  # a new account: all of it stays unreserved
        (100, 0, 0, 0),
    ],
)
def test_what_can_be_reserved_does_not_depend_on_what_is(
    everything: int, others: int, own: int, left: int
) -> None:
    limits = {
        "ConcurrentExecutions": everything,
        "UnreservedConcurrentExecutions": everything - others - own,
    }
    assert reservable(limits, own) == left


def asked(everything: int, **params: Any) -> int | None:
    """What is reserved in an account that has nothing reserved yet."""
    client = mock.Mock()
    limits = {"ConcurrentExecutions": everything, "UnreservedConcurrentExecutions": everything}
    client.get_account_settings.return_value = {"AccountLimit": limits}
    given = {"reserved_concurrency": None, "reserve_if_possible": None, **params}
    return LambdaFunction(Module(client, **given)).concurrency()


@pytest.mark.parametrize(("everything", "reserved"), [(1000, 100), (200, 100), (199, None), (10, None)])
def test_what_an_account_has_to_spare_is_reserved_and_else_nothing(
    everything: int, reserved: int | None
) -> None:
    assert asked(everything, reserve_if_possible=100) == reserved


def test_more_than_an_account_has_is_an_error_with_the_fix_before_anything_is_touched() -> None:
    assert asked(1000, reserved_concurrency=900) == 900
    with pytest.raises(InvalidInput, match=r"has 0 left\. Fix: .*L-B99A9384"):
        asked(10, reserved_concurrency=5)


def test_none_and_zero_ask_for_nothing() -> None:
    assert (asked(10), asked(10, reserved_concurrency=0)) == (None, 0)
