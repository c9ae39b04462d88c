"""The network modules' pure parts: AWS's descriptions in one of their equal forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.clickstream.aws.plugins.modules.route_table import (
    destination_argument,
    shown_routes,
    subnet_associations,
)
from ansible_collections.clickstream.aws.plugins.modules.security_groups import (
    described_rules,
    ports_argument,
    ports_text,
    wanted_rules,
)
from ansible_collections.clickstream.aws.plugins.modules.vpc_endpoint import DEFAULT_POLICY, endpoint_policy

RULE = {
    "protocol": "tcp",
    "ports": None,
    "cidrs": None,
    "groups": None,
    "prefix_list": None,
    "self": None,
    "description": "",
}


def rule(**more: Any) -> dict[str, Any]:
    return {**RULE, **more}


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


@pytest.mark.parametrize(
    ("permission", "text"),
    [
        ({"IpProtocol": "-1"}, ""),
        ({"IpProtocol": "-1", "FromPort": -1, "ToPort": -1}, ""),
        ({"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443}, "443"),
        ({"IpProtocol": "tcp", "FromPort": 80, "ToPort": 90}, "80-90"),
        ({"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535}, ""),
        ({"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1}, ""),
        ({"IpProtocol": "icmp", "FromPort": 8, "ToPort": -1}, "8--1"),
    ],
)
def test_ports_are_shown_as_people_write_them(permission: dict[str, Any], text: str) -> None:
    assert ports_text(permission) == text


@given(st.sampled_from(["tcp", "udp"]), st.integers(0, 65535), st.integers(0, 65535))
def test_ports_survive_the_way_to_aws_and_back(protocol: str, one: int, other: int) -> None:
    first, last = sorted((one, other))
    text = ports_text({"IpProtocol": protocol, "FromPort": first, "ToPort": last})
    assert ports_argument(protocol, text) == {"FromPort": first, "ToPort": last}


def test_all_protocols_have_no_ports() -> None:
    assert ports_argument("-1", "") == {}
    assert wanted_rules([rule(protocol="all", ports="80", cidrs=["0.0.0.0/0"])], "me") == [
        {"protocol": "-1", "ports": "", "peer": "0.0.0.0/0", "description": ""}
    ]


def test_a_task_s_rules_and_aws_s_description_of_them_are_the_same() -> None:
    wanted = wanted_rules(
        [
            rule(ports="443", cidrs=["10.1.2.3/16", "2001:DB8::/32"], description="both"),
            rule(ports="5432", groups=["theirs"]),
            rule(ports="3838", self=True),
            rule(protocol="6", ports="443", prefix_list="s3"),
            rule(ports="1-65535", cidrs=[]),
        ],
        "me",
    )
    described = described_rules(
        [
            {
                "IpProtocol": "tcp",
                "FromPort": 3838,
                "ToPort": 3838,
                "UserIdGroupPairs": [{"GroupId": "sg-1"}],
            },
            {
                "IpProtocol": "tcp",
                "FromPort": 443,
                "ToPort": 443,
                "IpRanges": [{"CidrIp": "10.1.0.0/16", "Description": "both"}],
                "Ipv6Ranges": [{"CidrIpv6": "2001:db8::/32", "Description": "both"}],
                "PrefixListIds": [{"PrefixListId": "pl-1"}],
            },
            {
                "IpProtocol": "tcp",
                "FromPort": 5432,
                "ToPort": 5432,
                "UserIdGroupPairs": [{"GroupId": "sg-2"}],
            },
        ],
        {"sg-1": "me", "sg-2": "theirs", "pl-1": "s3"},
    )
    assert wanted == described


def test_an_unknown_peer_keeps_its_id() -> None:
    permission = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-9", "UserId": "1"}]}
    assert described_rules([permission], {})[0]["peer"] == "sg-9"


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        {"Statement": {"Action": ["*"], "Effect": "Allow", "Principal": "*", "Resource": ["*"]}},
    ],
)
def test_aws_s_default_policy_is_known_in_all_its_forms(document: Any) -> None:
    assert endpoint_policy(document) == DEFAULT_POLICY


def test_another_policy_is_not_the_default() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    assert endpoint_policy({"Statement": [statement]}) != DEFAULT_POLICY
