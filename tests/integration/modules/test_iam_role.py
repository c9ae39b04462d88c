"""The module iam_role: create, repair, remove."""

from __future__ import annotations

import json

import pytest

from tests.support.modules import Act
from tests.support.services import Cloud, gone, tag_map
from tests.support.tasks import LOGS, ROLE, TAGS, allow, trust

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
BY_ROLE = {"RoleName": "services-host"}
BY_PROFILE = {"InstanceProfileName": "services-host"}


@pytest.fixture
def role(cloud: Cloud) -> Cloud:
    cloud.ok("iam_role", **ROLE)
    return cloud


def assert_role(cloud: Cloud) -> None:
    iam = cloud.iam
    found = iam.get_role(**BY_ROLE)["Role"]
    assert found["AssumeRolePolicyDocument"] == trust("ec2.amazonaws.com")
    assert (found["Description"], found["MaxSessionDuration"]) == ("The host", 3600)
    assert found["PermissionsBoundary"]["PermissionsBoundaryArn"] == ROLE["permissions_boundary"]
    assert tag_map(found["Tags"]) == TAGS
    policies = {
        name: iam.get_role_policy(**BY_ROLE, PolicyName=name)["PolicyDocument"]
        for name in iam.list_role_policies(**BY_ROLE)["PolicyNames"]
    }
    assert policies == ROLE["inline_policies"]
    attached = iam.list_attached_role_policies(**BY_ROLE)["AttachedPolicies"]
    assert [item["PolicyArn"] for item in attached] == [LOGS]
    profile = iam.get_instance_profile(**BY_PROFILE)["InstanceProfile"]
    assert [item["RoleName"] for item in profile["Roles"]] == ["services-host"]


def test_a_role_is_created_with_its_profile(cloud: Cloud) -> None:
    cloud.converge("iam_role", **ROLE)
    assert_role(cloud)


def hold_another_role(cloud: Cloud) -> None:
    cloud.iam.create_role(RoleName="other", AssumeRolePolicyDocument=json.dumps(trust("ec2.amazonaws.com")))
    cloud.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE)
    cloud.iam.add_role_to_instance_profile(**BY_PROFILE, RoleName="other")


def lose_the_profile(cloud: Cloud) -> None:
    cloud.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE)
    cloud.iam.delete_instance_profile(**BY_PROFILE)


def lose_the_role(cloud: Cloud) -> None:
    """The profile stays, empty: half of a removal."""
    cloud.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE)
    for name in ROLE["inline_policies"]:
        cloud.iam.delete_role_policy(**BY_ROLE, PolicyName=name)
    cloud.iam.detach_role_policy(**BY_ROLE, PolicyArn=LOGS)
    cloud.iam.delete_role(**BY_ROLE)


ROLE_DRIFT: dict[str, Act] = {
    "somebody else may assume it": lambda c: c.iam.update_assume_role_policy(
        **BY_ROLE, PolicyDocument=json.dumps(trust("lambda.amazonaws.com"))
    ),
    "an inline policy is extra": lambda c: c.iam.put_role_policy(
        **BY_ROLE, PolicyName="console", PolicyDocument=json.dumps(allow("*", "*"))
    ),
    "an inline policy allows more": lambda c: c.iam.put_role_policy(
        **BY_ROLE, PolicyName="read", PolicyDocument=json.dumps(allow("s3:*"))
    ),
    "an inline policy is gone": lambda c: c.iam.delete_role_policy(**BY_ROLE, PolicyName="read"),
    "a managed policy is extra": lambda c: c.iam.attach_role_policy(**BY_ROLE, PolicyArn=READ_ONLY),
    "the managed policy is gone": lambda c: c.iam.detach_role_policy(**BY_ROLE, PolicyArn=LOGS),
    "sessions last longer": lambda c: c.iam.update_role(
        **BY_ROLE, Description="The host", MaxSessionDuration=7200
    ),
    "the description is another": lambda c: c.iam.update_role(**BY_ROLE, Description="?"),
    "the boundary is gone": lambda c: c.iam.delete_role_permissions_boundary(**BY_ROLE),
    "the boundary is another": lambda c: c.iam.put_role_permissions_boundary(
        **BY_ROLE, PermissionsBoundary=READ_ONLY
    ),
    "a tag is extra": lambda c: c.iam.tag_role(**BY_ROLE, Tags=[{"Key": "x", "Value": "y"}]),
    "a tag is gone": lambda c: c.iam.untag_role(**BY_ROLE, TagKeys=["Project"]),
    "the profile is gone": lose_the_profile,
    "the profile is empty": lambda c: c.iam.remove_role_from_instance_profile(**BY_PROFILE, **BY_ROLE),
    "the profile holds another role": hold_another_role,
    "only an empty profile is left": lose_the_role,
}


@pytest.mark.parametrize("drift", ROLE_DRIFT)
def test_a_role_is_repaired(role: Cloud, drift: str) -> None:
    ROLE_DRIFT[drift](role)
    role.converge("iam_role", **ROLE)
    assert_role(role)


def test_the_endpoint_refuses_a_boundary_that_is_no_policy(role: Cloud) -> None:
    nowhere = {"permissions_boundary": "arn:aws:iam::123456789012:policy/nowhere"}
    for name in ("services-host", "services-new"):
        told = role.run("iam_role", **{**ROLE, **nowhere, "name": name})
        assert told["failed"] and "NoSuchEntity" in told["msg"], name
    assert gone(lambda: role.iam.get_role(RoleName="services-new"))


def test_the_order_in_a_policy_and_lists_of_one_are_no_drift(role: Cloud) -> None:
    document = {
        "Statement": [{"Resource": ["arn:aws:s3:::a/*"], "Action": ["s3:GetObject"], "Effect": "Allow"}]
    }
    role.iam.put_role_policy(
        **BY_ROLE, PolicyName="read", PolicyDocument=json.dumps({**document, "Version": "2012-10-17"})
    )
    assert role.ok("iam_role", **ROLE)["changed"] is False


def test_a_role_loses_the_profile_that_it_is_not_to_have(role: Cloud) -> None:
    role.converge("iam_role", **{**ROLE, "instance_profile": False})
    assert gone(lambda: role.iam.get_instance_profile(**BY_PROFILE))


def test_a_role_goes_with_all_that_hangs_on_it(role: Cloud) -> None:
    role.iam.attach_role_policy(**BY_ROLE, PolicyArn=READ_ONLY)
    role.converge("iam_role", name="services-host", state="absent")
    assert gone(lambda: role.iam.get_role(**BY_ROLE))
    assert gone(lambda: role.iam.get_instance_profile(**BY_PROFILE))
