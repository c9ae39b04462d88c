"""The module iam_role: what IAM's many servers do not know yet."""

from __future__ import annotations

import time
from typing import Any
from unittest import mock

import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.modules import iam_role
from tests.support.fakes import Module, error

BOUNDARY = "arn:aws:iam::123456789012:policy/clickstream-role-boundary"
POLICY = {"Version": "2012-10-17", "Statement": []}
NOTHING: dict[str, Any] = {"inline_policies": {}, "managed_policies": []}
WANTED = {"permissions_boundary": BOUNDARY, "inline_policies": {"a": POLICY}, "managed_policies": ["arn"]}


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(iam_role, "patient", lambda client: client)
    return mock.Mock()


def role(iam: mock.Mock) -> iam_role.IamRole:
    return iam_role.IamRole(Module(iam, inline_policies={"a": POLICY}, trust=POLICY))


def test_rights_that_hang_on_a_new_boundary_are_asked_for_again(iam: mock.Mock) -> None:
    """The deployer may give rights only to a role within the boundary."""
    iam.put_role_policy.side_effect = [error("AccessDenied"), error("AccessDenied"), {}]
    iam.attach_role_policy.side_effect = [error("AccessDenied"), {}]
    role(iam).update(NOTHING, WANTED, frozenset(WANTED))
    assert (iam.put_role_policy.call_count, iam.attach_role_policy.call_count) == (3, 2)
    order = [call[0] for call in iam.mock_calls]
    assert order.index("put_role_permissions_boundary") < order.index("put_role_policy")


def test_where_the_boundary_is_not_new_a_denial_is_one(iam: mock.Mock) -> None:
    iam.put_role_policy.side_effect = error("AccessDenied")
    with pytest.raises(ClientError):
        role(iam).update(NOTHING, WANTED, frozenset({"inline_policies"}))
    assert iam.put_role_policy.call_count == 1


def test_a_removal_is_sent_again_while_iam_still_knows_what_was_in_the_way(iam: mock.Mock) -> None:
    iam.delete_instance_profile.side_effect = [error("DeleteConflict"), {}]
    iam.delete_role.side_effect = [error("DeleteConflict"), {}]
    role(iam).delete({**NOTHING, "arn": "arn", "instance_profile": ["a"]})
    assert (iam.delete_instance_profile.call_count, iam.delete_role.call_count) == (2, 2)
