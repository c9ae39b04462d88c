"""The module route_table: EC2's description of a table in one of its equal forms."""

from __future__ import annotations

import pytest

from ansible_collections.clickstream.aws.plugins.modules.route_table import (
    destination_argument,
    shown_routes,
    subnet_associations,
)


@pytest.mark.parametrize(
    ("route", "shown"),
    [
        ({"DestinationCidrBlock": "10.0.0.0/16", "GatewayId": "local"}, None),
        ({"DestinationIpv6CidrBlock": "2001:db8::/56", "GatewayId": "local"}, None),
        ({"DestinationPrefixListId": "pl-1", "GatewayId": "vpce-1"}, None),
        (
            {
                "DestinationCidrBlock": "10.8.0.0/16",
                "GatewayId": "vgw-1",
                "Origin": "EnableVgwRoutePropagation",
            },
            None,
        ),
        ({"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1"}, ("0.0.0.0/0", "nat-1")),
        ({"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "vpce-1"}, ("0.0.0.0/0", "vpce-1")),
        ({"DestinationPrefixListId": "pl-1", "GatewayId": "igw-1"}, ("pl-1", "igw-1")),
        ({"DestinationIpv6CidrBlock": "::/0", "EgressOnlyInternetGatewayId": "eigw-1"}, ("::/0", "eigw-1")),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "InstanceId": "i-1", "NetworkInterfaceId": "eni-1"},
            ("0.0.0.0/0", "eni-1"),
        ),
        (
            {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "blackhole"},
            ("0.0.0.0/0", "igw-1"),
        ),
    ],
)
def test_only_routes_that_people_make_are_compared(
    route: dict[str, str], shown: tuple[str, str] | None
) -> None:
    expected = [{"destination": shown[0], "target": shown[1]}] if shown else []
    assert shown_routes([route]) == expected


@pytest.mark.parametrize(
    ("destination", "argument"),
    [
        ("0.0.0.0/0", "DestinationCidrBlock"),
        ("::/0", "DestinationIpv6CidrBlock"),
        ("pl-12", "DestinationPrefixListId"),
    ],
)
def test_a_destination_is_passed_as_what_it_is(destination: str, argument: str) -> None:
    assert destination_argument(destination) == {argument: destination}


def test_main_gateway_and_ending_associations_are_no_subnets() -> None:
    table = {
        "Associations": [
            {"Main": True, "RouteTableAssociationId": "a-main"},
            {"GatewayId": "igw-1", "RouteTableAssociationId": "a-gateway"},
            {
                "SubnetId": "subnet-1",
                "RouteTableAssociationId": "a-1",
                "AssociationState": {"State": "associated"},
            },
            {
                "SubnetId": "subnet-2",
                "RouteTableAssociationId": "a-2",
                "AssociationState": {"State": "disassociating"},
            },
        ]
    }
    assert subnet_associations(table) == {"subnet-1": "a-1"}
