"""What the modules outside EC2 share: tags, a function's permissions, reads side by side."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    function_permission,
    function_permissions,
    repair_tags,
    together,
)
from tests.support.fakes import error

TAGS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5)


@given(TAGS, TAGS)
def test_repaired_tags_are_the_desired_ones_and_no_others_are_touched(
    current: dict[str, str], desired: dict[str, str]
) -> None:
    calls: list[Any] = []
    repair_tags(current, desired, calls.append, calls.append)
    removed = next((call for call in calls if isinstance(call, list)), [])
    changed = next((call for call in calls if isinstance(call, dict)), {})
    assert {key: value for key, value in {**current, **changed}.items() if key not in removed} == desired
    assert all(current.get(key) != value for key, value in changed.items())
    assert all(calls), "nothing is called for nothing"


def policy_client(*statements: dict[str, Any]) -> Any:
    client = mock.Mock()
    client.get_policy.return_value = {"Policy": json.dumps({"Statement": list(statements)})}
    return client


STATEMENT = {
    "Sid": "a",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": "arn",
    "Condition": {"ArnLike": {"AWS:SourceArn": "rule"}},
}


def test_a_permission_has_the_tasks_form() -> None:
    found = function_permissions(policy_client(STATEMENT), "f")
    assert found == {"a": function_permission("events.amazonaws.com", "rule")}


@pytest.mark.parametrize(
    "drift",
    [
        {"Principal": "*"},
        {"Principal": {"AWS": "arn:aws:iam::999999999999:root"}},
        {"Action": "lambda:*"},
        {"Condition": {}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "rule"}, "StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
        {"Condition": {"ArnLike": {"AWS:SourceArn": "rule"}, "StringEquals": {"AWS:SourceAccount": "9"}}},
    ],
)
def test_a_permission_that_says_anything_else_is_drift(drift: dict[str, Any]) -> None:
    found = function_permissions(policy_client({**STATEMENT, **drift}), "f")
    assert found["a"] != function_permission("events.amazonaws.com", "rule")


def test_reads_side_by_side_raise_what_one_of_them_raises() -> None:
    def broken() -> None:
        raise error("Throttling")

    with pytest.raises(ClientError):
        together(good=lambda: 1, bad=broken)
    assert together(one=lambda: 1, two=lambda: 2) == {"one": 1, "two": 2}
