"""The module route_table: create, repair, remove."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.modules import Account, Act
from tests.support.network import (
    assert_repaired,
    gateways,
    internet_gateway,
    routes,
    subnet,
    table,
    table_subnets,
    tagged_otherwise,
    tags,
    vpc,
)
from tests.support.tasks import (
    ANYWHERE,
    GATEWAY,
    NAT,
    PRIVATE,
    PRIVATE_TABLE,
    PUBLIC,
    PUBLIC_TABLE,
    TAGS,
    VPC,
)


def test_a_route_table_is_created_with_route_and_subnet(network: Account) -> None:
    network.ok("route_table", name="rtb-public", vpc=VPC, state="absent")
    network.converge("route_table", **PUBLIC_TABLE)
    gateway = internet_gateway(network)
    assert routes(network, "rtb-public") == {ANYWHERE: gateway["InternetGatewayId"]}
    assert table_subnets(network, "rtb-public") == [subnet(network, PUBLIC)["SubnetId"]]
    assert tags(table(network, "rtb-public")) == {**TAGS, "Name": "rtb-public"}


def test_several_route_tables_are_one_task(network: Account) -> None:
    tables = [
        {key: one[key] for key in ("name", "subnets", "routes") if key in one}
        for one in (PUBLIC_TABLE, PRIVATE_TABLE)
    ]
    for one in tables:
        network.ok("route_table", name=one["name"], vpc=VPC, state="absent")
    done = network.converge("route_table", each=tables, vpc=VPC, tags=TAGS)
    gateway = internet_gateway(network)
    assert [one["resource"]["routes"] for one in done["resources"]] == [
        [{"destination": ANYWHERE, "target": gateway["InternetGatewayId"]}],
        [],
    ]
    assert table_subnets(network, "rtb-private") == [subnet(network, PRIVATE)["SubnetId"]]


def test_a_route_has_one_target(network: Account) -> None:
    for targets in ({}, {"internet_gateway": GATEWAY, "nat_gateway": NAT["name"]}):
        route = {"destination": ANYWHERE, **targets}
        for arguments in ({"routes": [route]}, {"each": [{"routes": [route]}]}):
            failed = network.run("route_table", name="rtb-public", vpc=VPC, **arguments)
            assert failed["failed"] and "internet_gateway" in failed["msg"], failed


def test_a_changed_target_replaces_the_route_without_a_gap(network: Account) -> None:
    _default_route_elsewhere(network)
    wrote = len(network.writes)
    network.ok("route_table", **PUBLIC_TABLE)
    assert network.writes[wrote:] == ["ReplaceRoute"]


def test_a_destination_in_another_form_than_ec2_s_is_no_drift(network: Account) -> None:
    forms = ("192.0.2.9/24", "2001:DB8:0::/48")
    given = [{"destination": form, "internet_gateway": GATEWAY} for form in forms]
    network.converge("route_table", **{**PUBLIC_TABLE, "routes": given, "subnets": [PUBLIC, PUBLIC]})
    found = table(network, "rtb-public")["Routes"]
    kept = {route.get("DestinationCidrBlock") or route.get("DestinationIpv6CidrBlock") for route in found}
    assert kept >= {"192.0.2.0/24", "2001:db8::/48"}


def _network_interface_route(account: Account) -> None:
    interface = account.ec2.create_network_interface(SubnetId=subnet(account, PRIVATE)["SubnetId"])
    account.ec2.create_route(
        RouteTableId=table(account, "rtb-private")["RouteTableId"],
        DestinationCidrBlock="172.16.0.0/12",
        NetworkInterfaceId=interface["NetworkInterface"]["NetworkInterfaceId"],
    )


def _stray_default_route(account: Account) -> None:
    gateway = internet_gateway(account)
    account.ec2.create_route(
        RouteTableId=table(account, "rtb-private")["RouteTableId"],
        DestinationCidrBlock=ANYWHERE,
        GatewayId=gateway["InternetGatewayId"],
    )


def _default_route_elsewhere(account: Account) -> None:
    account.ok("nat_gateway", **NAT)
    account.ec2.replace_route(
        RouteTableId=table(account, "rtb-public")["RouteTableId"],
        DestinationCidrBlock=ANYWHERE,
        NatGatewayId=gateways(account)[0]["NatGatewayId"],
    )


def _dissociated(account: Account) -> None:
    [association] = [item for item in table(account, "rtb-private")["Associations"] if "SubnetId" in item]
    account.ec2.disassociate_route_table(AssociationId=association["RouteTableAssociationId"])


def _in_another_table(account: Account) -> None:
    [association] = [item for item in table(account, "rtb-private")["Associations"] if "SubnetId" in item]
    account.ec2.replace_route_table_association(
        AssociationId=association["RouteTableAssociationId"],
        RouteTableId=table(account, "rtb-public")["RouteTableId"],
    )


def _foreign_subnet(account: Account) -> None:
    made = account.ec2.create_subnet(VpcId=vpc(account)["VpcId"], CidrBlock="10.9.64.0/20")["Subnet"]
    account.ec2.associate_route_table(
        SubnetId=made["SubnetId"], RouteTableId=table(account, "rtb-private")["RouteTableId"]
    )


def _default_route_gone(account: Account) -> None:
    account.ec2.delete_route(
        RouteTableId=table(account, "rtb-public")["RouteTableId"], DestinationCidrBlock=ANYWHERE
    )


DRIFT: dict[str, tuple[dict[str, Any], Act]] = {
    "stray default route": (PRIVATE_TABLE, _stray_default_route),
    "route to an interface": (PRIVATE_TABLE, _network_interface_route),
    "default route elsewhere": (PUBLIC_TABLE, _default_route_elsewhere),
    "default route gone": (PUBLIC_TABLE, _default_route_gone),
    "subnet dissociated": (PRIVATE_TABLE, _dissociated),
    "subnet in another table": (PRIVATE_TABLE, _in_another_table),
    "foreign subnet": (PRIVATE_TABLE, _foreign_subnet),
    "tags": (PRIVATE_TABLE, tagged_otherwise(lambda a: table(a, "rtb-private"), "RouteTableId")),
}


@pytest.mark.parametrize("case", DRIFT)
def test_drift_is_seen_in_check_mode_and_repaired(network: Account, case: str) -> None:
    assert_repaired(network, "route_table", *DRIFT[case])
