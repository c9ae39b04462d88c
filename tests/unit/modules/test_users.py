"""module_utils/users.py: who uses what is to be removed; ec2.delete_when_free: how long it is waited for."""

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils import ec2
from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import delete_when_free
from ansible_collections.clickstream.aws.plugins.module_utils.resource import InTheWay
from ansible_collections.clickstream.aws.plugins.module_utils.users import User, Users, is_lambdas
from tests.support.fakes import error

INTERFACE = {
    "NetworkInterfaceId": "eni-1",
    "Status": "in-use",
    "SubnetId": "subnet-1",
    "Groups": [{"GroupId": "sg-1"}],
    "Description": "AWS Lambda VPC ENI-etl-1",
    "InterfaceType": "lambda",
}


def account(functions: list[dict[str, Any]] | None = None, **answers: list[dict[str, Any]]) -> Any:
    """Users of an account: EC2 answers ``describe_<key>`` with these, Lambda with those functions."""
    client = mock.Mock()
    client.can_paginate.return_value = False
    for name, items in {"network_interfaces": [], "security_groups": [], **answers}.items():
        key = {"instances": "Reservations"}.get(name, "".join(part.capitalize() for part in name.split("_")))
        getattr(client, f"describe_{name}").return_value = {key: items}
    lambdas = mock.Mock()
    lambdas.get_paginator.return_value.paginate.return_value = [{"Functions": functions or []}]
    return Users(client, lambdas)


def network(*subnets: str, group: str = "sg-1") -> dict[str, Any]:
    return {"FunctionName": "other", "VpcConfig": {"SubnetIds": list(subnets), "SecurityGroupIds": [group]}}


@pytest.mark.parametrize(
    ("functions", "user"),
    [
        ([], User("network interface of a deleted Lambda function", "eni-1", passing=True)),
        (
            [{"FunctionName": "outside", "VpcConfig": {}}, network("subnet-1")],
            User("Lambda function", "other"),
        ),
        (
            [network("subnet-2"), network("subnet-1", group="sg-2")],
            User("network interface of a deleted Lambda function", "eni-1", passing=True),
        ),
    ],
)
def test_lambda_s_interface_goes_by_itself_once_no_function_has_its_subnet_and_groups(
    functions: list[dict[str, Any]], user: User
) -> None:
    assert account(functions, network_interfaces=[INTERFACE]).of_subnet("subnet-1") == [user]


def test_an_interface_of_lambda_is_known_by_type_or_description() -> None:
    assert is_lambdas({"InterfaceType": "lambda"})
    assert is_lambdas({"InterfaceType": "interface", "Description": "AWS Lambda VPC ENI-a"})
    assert not is_lambdas({"InterfaceType": "interface", "Description": "AWS Lambda"})


def test_what_lambda_has_let_go_is_removed_and_nothing_in_check_mode() -> None:
    users = account(network_interfaces=[{**INTERFACE, "Status": "available"}])
    users.look_only = True
    users.of_group("sg-1")
    users.ec2.delete_network_interface.assert_not_called()
    users.look_only = False
    users.of_group("sg-1")
    users.ec2.delete_network_interface.assert_called_once_with(NetworkInterfaceId="eni-1")


@pytest.mark.parametrize(
    ("code", "gone"), [("InvalidNetworkInterfaceID.NotFound", True), ("InvalidParameterValue", False)]
)
def test_an_interface_that_is_gone_or_in_use_again_is_no_error(code: str, gone: bool) -> None:
    users = account()
    users.ec2.delete_network_interface.side_effect = error(code)
    assert users.release({**INTERFACE, "Status": "available"}) is gone


def test_a_refusal_to_remove_an_interface_is_an_error() -> None:
    users = account()
    users.ec2.delete_network_interface.side_effect = error("UnauthorizedOperation")
    with pytest.raises(ClientError):
        users.release({**INTERFACE, "Status": "available"})


def theirs(description: str = "", **more: Any) -> dict[str, Any]:
    return {**INTERFACE, "InterfaceType": "interface", "Description": description, **more}


NAMED = {"Tags": [{"Key": "Name", "Value": "theirs"}]}


@pytest.mark.parametrize(
    ("interface", "answers", "user"),
    [
        (theirs("their proxy"), {}, User("network interface", "eni-1", "their proxy")),
        (
            theirs(Attachment={"InstanceId": "i-1"}),
            {"instances": [{"Instances": [{"State": {"Name": "stopped"}, **NAMED}]}]},
            User("instance", "i-1", "theirs"),
        ),
        (
            theirs(Attachment={"InstanceId": "i-1"}),
            {"instances": [{"Instances": [{"State": {"Name": "shutting-down"}}]}]},
            User("instance", "i-1", passing=True),
        ),
        (
            theirs("VPC Endpoint Interface vpce-0a1"),
            {"vpc_endpoints": [{"State": "available", **NAMED}]},
            User("VPC endpoint", "vpce-0a1", "theirs"),
        ),
        (
            theirs("VPC Endpoint Interface vpce-0a1"),
            {"vpc_endpoints": []},
            User("VPC endpoint", "vpce-0a1", passing=True),
        ),
        (
            theirs("Interface for NAT Gateway nat-0a1"),
            {"nat_gateways": [{"State": "deleting"}]},
            User("NAT gateway", "nat-0a1", passing=True),
        ),
        (theirs("ELB app/shop/0a1"), {}, User("network interface", "eni-1", "ELB app/shop/0a1")),
    ],
)
def test_an_interface_stands_for_who_has_it(
    interface: dict[str, Any], answers: dict[str, Any], user: User
) -> None:
    assert account(network_interfaces=[interface], **answers).of_subnet("subnet-1") == [user]


def test_another_group_s_rule_uses_a_group() -> None:
    users = account(security_groups=[{"GroupId": "sg-1"}, {"GroupId": "sg-2", "GroupName": "theirs"}])
    assert set(map(str, users.of_group("sg-1"))) == {"security group sg-2 (theirs)"}


class Clock:
    """Time that goes by when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(ec2, "time", made)
    return made


LEFT = User("network interface of a deleted Lambda function", "eni-1", passing=True)


def removal(clock: Clock, free_after: float) -> Any:
    def delete() -> None:
        if clock.now < free_after:
            raise error("DependencyViolation")

    return delete


def test_what_goes_by_itself_is_waited_for_for_more_than_an_hour(clock: Clock) -> None:
    delete_when_free(removal(clock, 5000), "subnet-1", lambda: [LEFT])
    assert 5000 <= clock.now < 5020


def test_it_is_not_waited_for_for_ever_and_named_in_the_end(clock: Clock) -> None:
    with pytest.raises(TimeoutError, match=r"subnet-1, which .* eni-1 still uses"):
        delete_when_free(removal(clock, 1e9), "subnet-1", lambda: [LEFT])
    assert 7200 <= clock.now < 7300


def test_what_nobody_seems_to_use_is_tried_again_for_some_minutes(clock: Clock) -> None:
    with pytest.raises(TimeoutError, match="something still uses"):
        delete_when_free(removal(clock, 1e9), "subnet-1")
    assert 300 <= clock.now < 330


def test_what_should_be_gone_by_itself_and_is_not_is_named_after_some_minutes(clock: Clock) -> None:
    ending = User("instance", "i-1", passing=True)
    with pytest.raises(TimeoutError, match="instance i-1 still uses"):
        delete_when_free(removal(clock, 1e9), "subnet-1", lambda: [ending])
    assert 300 <= clock.now < 330


def test_what_stays_is_named_at_once(clock: Clock) -> None:
    with pytest.raises(InTheWay, match=r"instance i-1 \(theirs\), subnet subnet-2. Fix: "):
        delete_when_free(
            removal(clock, 1e9),
            "vpc-1",
            lambda: [LEFT, User("subnet", "subnet-2"), User("instance", "i-1", "theirs")],
        )
    assert clock.now == 0


def test_another_error_is_told_at_once(clock: Clock) -> None:
    with pytest.raises(ClientError):
        delete_when_free(mock.Mock(side_effect=error("UnauthorizedOperation")), "vpc-1")
    assert clock.now == 0
