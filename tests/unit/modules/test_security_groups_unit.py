"""The module security_groups: rules in one of their equal forms."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.clickstream.aws.plugins.module_utils.resource import InvalidInput
from ansible_collections.clickstream.aws.plugins.modules.security_groups import (
    described_rules,
    ports_argument,
    ports_text,
    wanted_rules,
)

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


@pytest.mark.parametrize(
    ("protocol", "ports", "kept"),
    [
        ("tcp", "443-443", ("tcp", "443")),
        ("6", "0443", ("tcp", "443")),
        ("06", " 80 - 090 ", ("tcp", "80-90")),
        ("UDP", "0-65535", ("udp", "")),
        ("17", "", ("udp", "")),
        ("icmpv6", None, ("icmpv6", "")),
        ("58", "-1--1", ("icmpv6", "")),
        ("icmp", "8-0", ("icmp", "8-0")),
        ("1", "-1", ("icmp", "")),
        ("50", "80", ("50", "")),
        ("all", "80", ("-1", "")),
    ],
)
def test_a_task_s_protocol_and_ports_are_brought_to_ec2_s_form(
    protocol: str, ports: str | None, kept: tuple[str, str]
) -> None:
    [found] = wanted_rules([rule(protocol=protocol, ports=ports, cidrs=["0.0.0.0/0"])], "me")
    assert (found["protocol"], found["ports"]) == kept
    permission = {"IpProtocol": kept[0], **ports_argument(*kept), "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
    assert described_rules([permission], {}) == [found]


@pytest.mark.parametrize(
    "wrong",
    [
        {"ports": "90-80"},
        {"ports": "65536"},
        {"ports": "http"},
        {"ports": "-1"},
        {"ports": "80,443"},
        {"protocol": "icmp", "ports": "8-x"},
        {"protocol": "esp"},
        {"protocol": "256"},
        {"cidrs": ["10.0.0.0/33"]},
        {"cidrs": ["anywhere"]},
    ],
    ids=str,
)
def test_what_ec2_refuses_is_refused_with_the_fix(wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput, match="Fix: "):
        wanted_rules([rule(**{"cidrs": ["0.0.0.0/0"], **wrong})], "me")


def test_one_rule_has_one_description() -> None:
    twice = rule(ports="443", cidrs=["10.1.2.3/16", "10.1.0.0/16"])
    assert len(wanted_rules([twice, twice], "me")) == 1
    with pytest.raises(InvalidInput, match="two descriptions"):
        wanted_rules([twice, {**twice, "description": "other"}], "me")


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
