"""The policies of role iam: a wildcard only where AWS has nothing narrower."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

ROLE = Path(__file__).parents[2] / "roles/iam/vars/main.yml"
VARIABLES: dict[str, Any] = yaml.safe_load(ROLE.read_text())
STATEMENTS = [
    pytest.param(statement, id=f"{name.removeprefix('__iam_')}-{statement['Sid']}")
    for name, value in VARIABLES.items()
    if name.endswith("_statements")
    for statement in value
]
WITHOUT_RESOURCE_TYPES = ("ssmmessages:", "ec2messages:", "ec2:Describe")
"""Actions that the Service Authorization Reference lists without a resource type."""

NETWORK = {
    f"ec2:{action}"
    for action in (
        *("AssignPrivateIpAddresses", "UnassignPrivateIpAddresses", "DescribeSubnets"),
        *("CreateNetworkInterface", "DeleteNetworkInterface", "DescribeNetworkInterfaces"),
    )
}
"""What Lambda's developer guide says that the role of a function in a VPC needs; see the test below."""


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("statement", STATEMENTS)
def test_actions_are_named_one_by_one(statement: dict[str, Any]) -> None:
    assert not [action for action in listed(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_resource_stands_only_where_aws_has_no_narrower_one_and_then_under_a_condition(
    statement: dict[str, Any],
) -> None:
    if "*" in listed(statement["Resource"]) and statement["Sid"] != "NetworkInterfaces":
        assert statement["Condition"]
        if statement["Effect"] == "Allow":
            assert all(action.startswith(WITHOUT_RESOURCE_TYPES) for action in listed(statement["Action"]))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_right_reaches_into_another_account(statement: dict[str, Any]) -> None:
    for resource in listed(statement["Resource"]):
        assert resource == "*" or resource.startswith(("arn:aws:s3:::", "{{ __iam_"))


def test_lambda_may_make_the_functions_network_interfaces_and_its_code_may_not() -> None:
    """CreateFunction asks IAM for each of the six without a resource or a condition."""
    statements = {one["Sid"]: one for one in VARIABLES["__iam_etl_statements"]}
    allowed, denied = statements["NetworkInterfaces"], statements["NotTheCodeItself"]
    assert (set(allowed["Action"]), allowed["Resource"], "Condition" in allowed) == (NETWORK, "*", False)
    assert (set(denied["Action"]), denied["Resource"]) == (NETWORK, "*")
    assert set(denied["Condition"]["ArnEquals"]) == {"lambda:SourceFunctionArn"}


def test_a_transcript_can_be_written_from_the_private_subnet() -> None:
    """The agent sends an ACL with it, which is a right of its own, in the role and in the way out."""
    endpoint = yaml.safe_load((ROLE.parents[2] / "vpc_endpoints/vars/main.yml").read_text())
    ours = endpoint["__vpc_endpoints_s3_policy"]["Statement"][0]
    [role] = [one for one in VARIABLES["__iam_analytics_statements"] if one["Sid"] == "Transcripts"]
    assert set(role["Action"]) == {"s3:PutObject", "s3:PutObjectAcl"} <= set(ours["Action"])
