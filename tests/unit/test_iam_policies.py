"""The rights that role iam gives away: a wildcard only where AWS leaves no other way."""

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


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("statement", STATEMENTS)
def test_actions_are_named_one_by_one(statement: dict[str, Any]) -> None:
    assert not [action for action in listed(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("statement", STATEMENTS)
def test_every_resource_stands_only_where_aws_has_no_narrower_one_and_then_under_a_condition(
    statement: dict[str, Any],
) -> None:
    if "*" in listed(statement["Resource"]):
        assert statement["Condition"]
        if statement["Effect"] == "Allow":
            assert all(action.startswith(WITHOUT_RESOURCE_TYPES) for action in listed(statement["Action"]))


@pytest.mark.parametrize("statement", STATEMENTS)
def test_no_right_reaches_into_another_account(statement: dict[str, Any]) -> None:
    for resource in listed(statement["Resource"]):
        assert resource == "*" or resource.startswith(("arn:aws:s3:::", "{{ __iam_"))
