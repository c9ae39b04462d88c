"""Modules of the network without their parents: pending in check mode, an error with the fix otherwise."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.modules import Account
from tests.support.tasks import (
    ANYWHERE,
    GATEWAY_ARGUMENTS,
    GROUPS,
    INSTANCE,
    NAT,
    PUBLIC,
    PUBLIC_TABLE,
    S3_ENDPOINT,
    SSM_ENDPOINT,
    VPC,
    VPC_ARGUMENTS,
)

EVERY_MODULE = [
    ("subnet", {"name": PUBLIC, "vpc": VPC, "cidr": "10.9.0.0/20", "zone": "ap-southeast-1a"}),
    ("internet_gateway", GATEWAY_ARGUMENTS),
    ("route_table", PUBLIC_TABLE),
    ("security_groups", GROUPS),
    ("vpc_endpoint", S3_ENDPOINT),
    ("vpc_endpoint", SSM_ENDPOINT),
    ("nat_gateway", NAT),
    ("instance", INSTANCE),
]


@pytest.mark.parametrize(("module", "arguments"), EVERY_MODULE, ids=lambda value: str(value)[:20])
def test_without_its_vpc_it_is_pending_in_check_mode_and_fails_for_real(
    account: Account, module: str, arguments: dict[str, Any]
) -> None:
    told = account.run(module, check=True, **arguments)
    assert told["changed"] and told["pending"] == VPC and not told.get("failed")
    wrote = len(account.writes)
    done = account.run(module, **arguments)
    assert done["failed"] and VPC in done["msg"] and "Fix:" in done["msg"]
    assert account.writes[wrote:] == []


@pytest.mark.parametrize(
    ("module", "arguments"), [("vpc", VPC_ARGUMENTS), *EVERY_MODULE], ids=lambda v: str(v)[:20]
)
def test_what_is_not_there_need_not_be_removed(
    account: Account, module: str, arguments: dict[str, Any]
) -> None:
    for check in (True, False):
        assert not account.ok(module, check=check, **{**arguments, "state": "absent"})["changed"]


@pytest.mark.parametrize(
    ("module", "arguments", "missing"),
    [
        ("route_table", {**PUBLIC_TABLE, "name": "rtb-x", "subnets": ["nowhere"]}, "nowhere"),
        (
            "route_table",
            {**PUBLIC_TABLE, "routes": [{"destination": ANYWHERE, "nat_gateway": "nat-x"}]},
            "nat-x",
        ),
        ("vpc_endpoint", {**S3_ENDPOINT, "route_tables": ["rtb-x"]}, "rtb-x"),
        ("vpc_endpoint", {**SSM_ENDPOINT, "security_groups": ["sg-x"]}, "sg-x"),
        ("nat_gateway", {**NAT, "subnet": "subnet-x"}, "subnet-x"),
        ("instance", {**INSTANCE, "security_groups": ["sg-x"]}, "sg-x"),
        ("instance", INSTANCE, "host-role"),
    ],
    ids=lambda value: str(value)[:20],
)
def test_a_missing_parent_is_pending_by_its_name(
    network: Account, module: str, arguments: dict[str, Any], missing: str
) -> None:
    assert network.run(module, check=True, **arguments)["pending"] == missing
    done = network.run(module, **arguments)
    assert done["failed"] and missing in done["msg"]
