"""The module subnet: create, repair, remove."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.modules import Account, Act
from tests.support.network import assert_repaired, subnet, tagged_otherwise, tags
from tests.support.tasks import PRIVATE, PUBLIC, SUBNET_ARGUMENTS, TAGS, VPC, VPC_ARGUMENTS


def test_a_subnet_is_created(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    account.converge("subnet", name=PUBLIC, vpc=VPC, cidr="10.9.0.0/20", zone="ap-southeast-1a", tags=TAGS)
    found = subnet(account, PUBLIC)
    assert (found["CidrBlock"], found["AvailabilityZone"]) == ("10.9.0.0/20", "ap-southeast-1a")
    assert found["MapPublicIpOnLaunch"] is False
    assert tags(found) == {**TAGS, "Name": PUBLIC}


def test_a_range_in_another_form_than_ec2_s_is_no_drift(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    account.converge("subnet", **{**SUBNET_ARGUMENTS, "cidr": "10.9.0.7/20"})
    assert subnet(account, PUBLIC)["CidrBlock"] == "10.9.0.0/20"


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


BOTH = [{"name": PUBLIC, "cidr": "10.9.0.0/20"}, {"name": PRIVATE, "cidr": "10.9.128.0/20"}]
COMMON = {"vpc": VPC, "zone": "ap-southeast-1a", "tags": TAGS}


def test_several_subnets_are_one_task(account: Account) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    done = account.converge("subnet", each=BOTH, **COMMON)
    assert [one["resource"]["cidr"] for one in done["resources"]] == ["10.9.0.0/20", "10.9.128.0/20"]
    assert [subnet(account, one["name"])["CidrBlock"] for one in BOTH] == ["10.9.0.0/20", "10.9.128.0/20"]
    _public_addresses(account)
    told = account.ok("subnet", check=True, each=BOTH, **COMMON)
    assert [diff["after_header"] for diff in told["diff"]] == [f"subnet {PUBLIC}"]
    gone = account.ok("subnet", each=[{"name": one["name"]} for one in BOTH], vpc=VPC, state="absent")
    assert gone["changed"] and not any(one["exists"] for one in gone["resources"])


def test_several_subnets_wait_for_their_vpc_in_check_mode(account: Account) -> None:
    told = account.ok("subnet", check=True, each=BOTH, **COMMON)
    assert told["changed"] and told["pending"] == VPC
    assert [diff["after_header"] for diff in told["diff"]] == [f"subnet {PUBLIC}", f"subnet {PRIVATE}"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"each": [*BOTH, {"name": "c", "cidr": "10.9.32.0/20", "colour": "red"}]},
            "each[2]: colour. Supported parameters include",
        ),
        ({"each": [{"cidr": "10.9.0.0/20"}]}, "each[0]: missing required arguments: name"),
        ({"each": [{"name": "c"}]}, "each[0]: state is present but all of the following are missing: cidr"),
        ({"name": "c"}, "state is present but all of the following are missing: cidr"),
        ({"cidr": "10.9.0.0/20"}, "missing required arguments: name"),
    ],
)
def test_a_wrong_entry_is_named_before_anything_is_made(
    account: Account, arguments: dict[str, Any], message: str
) -> None:
    account.ok("vpc", **VPC_ARGUMENTS)
    wrote = len(account.writes)
    result = account.run("subnet", **COMMON, **arguments)
    assert result["failed"] and result["msg"].startswith(message), result["msg"]
    assert account.writes[wrote:] == []
