"""The module vpc: create, repair, remove."""

from __future__ import annotations

import pytest

from tests.support.modules import Account, Act
from tests.support.network import assert_repaired, tagged_otherwise, tags, vpc
from tests.support.tasks import TAGS, VPC, VPC_ARGUMENTS


def test_a_vpc_is_created_with_dns(account: Account) -> None:
    account.converge("vpc", **VPC_ARGUMENTS)
    found = vpc(account)
    assert found["CidrBlock"] == "10.9.0.0/16"
    assert tags(found) == {**TAGS, "Name": VPC}
    for name in ("enableDnsSupport", "enableDnsHostnames"):
        answer = account.ec2.describe_vpc_attribute(VpcId=found["VpcId"], Attribute=name)
        assert answer[name[0].upper() + name[1:]]["Value"] is True


def test_another_range_is_an_error_and_not_a_second_vpc(network: Account) -> None:
    result = network.run("vpc", **{**VPC_ARGUMENTS, "cidr": "10.8.0.0/16"})
    assert result["failed"] and "10.9.0.0/16" in result["msg"] and "Fix:" in result["msg"]
    assert vpc(network)["CidrBlock"] == "10.9.0.0/16"


def test_two_of_one_name_are_refused_rather_than_guessed(network: Account) -> None:
    specification = [{"ResourceType": "vpc", "Tags": [{"Key": "Name", "Value": VPC}]}]
    network.ec2.create_vpc(CidrBlock="10.8.0.0/16", TagSpecifications=specification)
    result = network.run("vpc", **VPC_ARGUMENTS)
    assert result["failed"] and "2 resources are called VPC vpc-a" in result["msg"]


def test_a_range_in_another_form_than_ec2_s_is_no_drift(account: Account) -> None:
    account.converge("vpc", **{**VPC_ARGUMENTS, "cidr": "10.9.1.2/16"})
    assert vpc(account)["CidrBlock"] == "10.9.0.0/16"


def test_a_range_that_is_none_is_told_before_anything_is_touched(account: Account) -> None:
    result = account.run("vpc", **{**VPC_ARGUMENTS, "cidr": "10.9.0.0/33"})
    assert result["failed"] and "10.9.0.0/33" in result["msg"] and "Fix:" in result["msg"]
    assert account.writes == []


def _dns_off(attribute: str) -> Act:
    def break_it(account: Account) -> None:
        account.ec2.modify_vpc_attribute(VpcId=vpc(account)["VpcId"], **{attribute: {"Value": False}})

    return break_it


DRIFT: dict[str, Act] = {
    "DNS support off": _dns_off("EnableDnsSupport"),
    "DNS hostnames off": _dns_off("EnableDnsHostnames"),
    "tags": tagged_otherwise(vpc, "VpcId"),
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    assert_repaired(network, "vpc", VPC_ARGUMENTS, DRIFT[case])
