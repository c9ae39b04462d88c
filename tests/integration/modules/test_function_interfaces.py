"""The module function_interfaces, and removals that wait for what a deleted function leaves behind."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support import tasks
from tests.support.services import Cloud
from tests.support.tasks import in_a_vpc

VPC, SUBNET, GROUP = "interfaces-vpc", "interfaces-subnet", "interfaces-group"
GROUPS = {"vpc": VPC, "groups": [{"name": GROUP}]}


@pytest.fixture
def function(cloud: Cloud, package: Path) -> Iterator[Cloud]:
    """A function in a subnet, with a security group."""
    cloud.ok("iam_role", **in_a_vpc("services-role"))
    cloud.ok("vpc", name=VPC, cidr="10.67.0.0/16")
    cloud.ok("subnet", name=SUBNET, vpc=VPC, cidr="10.67.0.0/20", zone="ap-southeast-1a")
    cloud.ok("security_groups", **GROUPS)
    place = {"vpc": VPC, "subnets": [SUBNET], "security_groups": [GROUP]}
    cloud.ok("lambda_function", **tasks.function(package, name="interfaces-function", **place))
    yield cloud
    cloud.ok("lambda_function", name="interfaces-function", state="absent")
    cloud.ok("security_groups", **GROUPS, state="absent")
    cloud.ok("subnet", name=SUBNET, vpc=VPC, state="absent")
    cloud.ok("vpc", name=VPC, state="absent")


def interfaces(cloud: Cloud) -> list[dict[str, Any]]:
    found = cloud.ec2.describe_network_interfaces()["NetworkInterfaces"]
    return [one for one in found if "interfaces-function" in one["Description"]]


def test_what_a_deleted_function_leaves_is_named_and_waited_for(function: Cloud) -> None:
    assert function.ok("function_interfaces", vpc=VPC)["left"] == []
    function.ok("lambda_function", name="interfaces-function", state="absent")
    [left] = interfaces(function)
    assert (left["InterfaceType"], left["Status"]) == ("lambda", "in-use")
    for check in (True, False):
        told = function.ok("function_interfaces", check=check, vpc=VPC)
        assert (told["left"], told["changed"]) == ([left["NetworkInterfaceId"]], False)
    assert "in_the_way" not in function.ok("security_groups", check=True, **GROUPS, state="absent")
    function.ok("security_groups", **GROUPS, state="absent")
    assert interfaces(function) == []
    assert function.ok("function_interfaces", vpc=VPC)["left"] == []


def test_a_function_that_is_there_is_named_and_not_waited_for(function: Cloud) -> None:
    subnet = {"Name": "tag:Name", "Values": [SUBNET]}
    [at] = function.ec2.describe_subnets(Filters=[subnet])["Subnets"]
    [group] = function.ec2.describe_security_groups(Filters=[{"Name": "group-name", "Values": [GROUP]}])[
        "SecurityGroups"
    ]
    function.ec2.create_network_interface(
        SubnetId=at["SubnetId"],
        Groups=[group["GroupId"]],
        Description="AWS Lambda VPC ENI-interfaces-function-1",
    )
    assert function.ok("function_interfaces", vpc=VPC)["left"] == []
    result = function.run("security_groups", **GROUPS, state="absent")
    assert result["failed"] and result["in_the_way"] == ["Lambda function interfaces-function"]


def test_without_a_vpc_nothing_is_left(cloud: Cloud) -> None:
    assert cloud.ok("function_interfaces", vpc="no-vpc")["left"] == []
