"""Filters removals and in_the_way: what goes, and what keeps the rest."""

from __future__ import annotations

from typing import Any

from ansible_collections.clickstream.aws.plugins.filter.in_the_way import in_the_way
from ansible_collections.clickstream.aws.plugins.filter.removals import removals


def looked(kind: str, before: dict[str, Any], *hindrances: str, changed: bool = True) -> dict[str, Any]:
    diff = {"before_header": kind, "before": before}
    return {"changed": changed, "diff": diff, "in_the_way": list(hindrances)}


SUBNET = looked("subnet a", {"subnet_id": "subnet-0a", "zone": "a"}, "instance i-0c (theirs)")
GROUPS = looked("security groups sg-x", {"sg-x": {"ingress": []}}, "instance i-0c (theirs)")
NETWORK = looked(
    "VPC v",
    {"vpc_id": "vpc-0e", "tags": {"Name": "zone"}},
    "instance i-0c (theirs)",
    "security group sg-0d (sg-x)",
    "subnet subnet-0a (a)",
    "subnet subnet-0b (zone)",
)
GONE = looked("subnet b", {}, "instance i-0f", changed=False)


def test_what_goes_is_named_loops_included() -> None:
    assert removals([{"results": [SUBNET, GONE]}, NETWORK]) == ["subnet a", "VPC v"]


def test_causes_are_named_once_and_what_is_left_itself_is_none() -> None:
    assert in_the_way([{"results": [SUBNET, GONE]}, GROUPS, NETWORK]) == [
        "instance i-0c (theirs)",
        "subnet subnet-0b (zone)",
    ]
    assert in_the_way([]) == []
