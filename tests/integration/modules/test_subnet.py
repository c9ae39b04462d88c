"""The module subnet: create, repair, remove."""

from __future__ import annotations

import pytest

from tests.support.modules import Account, Act
from tests.support.network import assert_repaired, subnet, tagged_otherwise, tags
from tests.support.tasks import PUBLIC, SUBNET_ARGUMENTS, TAGS, VPC, VPC_ARGUMENTS


def test_a_subnet_is_created(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    account.converge("subnet", name=PUBLIC, vpc=VPC, cidr="10.9.0.0/20", zone="ap-southeast-1a", tags=TAGS)
    found = subnet(account, PUBLIC)
    assert (found["CidrBlock"], found["AvailabilityZone"]) == ("10.9.0.0/20", "ap-southeast-1a")
    assert found["MapPublicIpOnLaunch"] is False
    assert tags(found) == {**TAGS, "Name": PUBLIC}


def test_a_subnet_cannot_move(network: Account) -> None:
    result = network.run(
        "subnet", name=PUBLIC, vpc=VPC, cidr="10.9.16.0/20", zone="ap-southeast-1a", tags=TAGS
    )
    assert result["failed"] and "10.9.0.0/20" in result["msg"] and "Fix:" in result["msg"]


def _public_addresses(account: Account) -> None:
    account.ec2.modify_subnet_attribute(
        SubnetId=subnet(account, PUBLIC)["SubnetId"], MapPublicIpOnLaunch={"Value": True}
    )


DRIFT: dict[str, Act] = {
    "public addresses": _public_addresses,
    "tags": tagged_otherwise(lambda a: subnet(a, PUBLIC), "SubnetId"),
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    assert_repaired(network, "subnet", SUBNET_ARGUMENTS, DRIFT[case])
