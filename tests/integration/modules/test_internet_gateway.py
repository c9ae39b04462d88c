"""The module internet_gateway: create, repair, remove."""

from __future__ import annotations

import pytest

from tests.support.modules import Account, Act
from tests.support.network import assert_repaired, internet_gateway, tagged_otherwise, tags, vpc
from tests.support.tasks import GATEWAY, GATEWAY_ARGUMENTS, TAGS, VPC_ARGUMENTS


def test_an_internet_gateway_is_created_and_attached(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    account.converge("internet_gateway", **GATEWAY_ARGUMENTS)
    found = internet_gateway(account)
    assert [item["VpcId"] for item in found["Attachments"]] == [vpc(account)["VpcId"]]
    assert tags(found) == {**TAGS, "Name": GATEWAY}


def test_an_internet_gateway_that_a_crash_left_detached_is_attached(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    specification = [{"ResourceType": "internet-gateway", "Tags": [{"Key": "Name", "Value": GATEWAY}]}]
    account.ec2.create_internet_gateway(TagSpecifications=specification)
    account.converge("internet_gateway", **GATEWAY_ARGUMENTS)
    found = internet_gateway(account)
    assert [item["VpcId"] for item in found["Attachments"]] == [vpc(account)["VpcId"]]


def _detached(account: Account) -> None:
    gateway = internet_gateway(account)
    account.ec2.detach_internet_gateway(
        InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc(account)["VpcId"]
    )


DRIFT: dict[str, Act] = {
    "detached": _detached,
    "tags": tagged_otherwise(internet_gateway, "InternetGatewayId"),
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    assert_repaired(network, "internet_gateway", GATEWAY_ARGUMENTS, DRIFT[case])
