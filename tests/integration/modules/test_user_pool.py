"""The module user_pool: create, repair, remove; what it does not name stays, though Cognito resets it."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.modules import Act
from tests.support.services import Cloud
from tests.support.tasks import ACCOUNT, POOL, REGION, TAGS

NAME = POOL["name"]
WITH_DOMAIN = {**POOL, "domain": "services-shop"}
TRIGGER = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:lets-anybody-in"


def pools(cloud: Cloud) -> list[str]:
    found = cloud.cognito.list_user_pools(MaxResults=60)["UserPools"]
    return [one["Id"] for one in found if one["Name"] == NAME]


def pool(cloud: Cloud) -> dict[str, Any]:
    [pool_id] = pools(cloud)
    return dict(cloud.cognito.describe_user_pool(UserPoolId=pool_id)["UserPool"])


def put(**wanted: Any) -> Act:
    """Somebody updates the pool, and names no more than this: Cognito resets the rest."""
    return lambda cloud: cloud.cognito.update_user_pool(UserPoolId=pool(cloud)["Id"], **wanted)


def assert_pool(cloud: Cloud) -> None:
    found = pool(cloud)
    password = found["Policies"]["PasswordPolicy"]
    assert (password["MinimumLength"], password["TemporaryPasswordValidityDays"]) == (12, 7)
    assert all(password[f"Require{kind}"] for kind in ("Lowercase", "Uppercase", "Numbers", "Symbols"))
    assert (found["UsernameAttributes"], found["UsernameConfiguration"]) == (
        ["email"],
        {"CaseSensitive": False},
    )
    assert found["AutoVerifiedAttributes"] == ["email"]
    assert found["UserAttributeUpdateSettings"]["AttributesRequireVerificationBeforeUpdate"] == ["email"]
    assert found["AccountRecoverySetting"]["RecoveryMechanisms"] == [
        {"Name": "verified_email", "Priority": 1}
    ]
    assert not found["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"]
    assert found["DeletionProtection"] == "ACTIVE"
    assert found.get("LambdaConfig", {}) == {}
    assert found["UserPoolTags"] == TAGS
    assert found.get("Domain") == "services-shop"


def test_a_pool_is_created(cloud: Cloud) -> None:
    cloud.cognito.create_user_pool(PoolName=f"{NAME}-of-another-name")
    cloud.converge("user_pool", **WITH_DOMAIN)
    assert_pool(cloud)


def other_domain(cloud: Cloud) -> None:
    by = {"UserPoolId": pool(cloud)["Id"]}
    cloud.cognito.delete_user_pool_domain(**by, Domain="services-shop")
    cloud.cognito.create_user_pool_domain(**by, Domain="services-theirs")


WEAK = {"PasswordPolicy": {"MinimumLength": 6, "TemporaryPasswordValidityDays": 365}}
DRIFT: dict[str, Act] = {
    "short passwords": put(Policies=WEAK, DeletionProtection="ACTIVE", UserPoolTags=TAGS),
    "everything is reset": put(),
    "nobody may sign up": put(AdminCreateUserConfig={"AllowAdminCreateUserOnly": True}),
    "a trigger lets anybody in": put(LambdaConfig={"PreSignUp": TRIGGER}),
    "a lost password is an administrator's": put(
        AccountRecoverySetting={"RecoveryMechanisms": [{"Name": "admin_only", "Priority": 1}]}
    ),
    "a tag is extra": lambda c: c.cognito.tag_resource(ResourceArn=pool(c)["Arn"], Tags={"x": "y"}),
    "a tag is gone": lambda c: c.cognito.untag_resource(ResourceArn=pool(c)["Arn"], TagKeys=["Project"]),
    "another domain": other_domain,
    "no domain": lambda c: c.cognito.delete_user_pool_domain(
        UserPoolId=pool(c)["Id"], Domain="services-shop"
    ),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_a_pool_is_repaired(cloud: Cloud, drift: str) -> None:
    cloud.ok("user_pool", **WITH_DOMAIN)
    DRIFT[drift](cloud)
    cloud.converge("user_pool", **WITH_DOMAIN)
    assert_pool(cloud)


THEIRS = {
    "MfaConfiguration": "OPTIONAL",
    "EmailConfiguration": {
        "EmailSendingAccount": "COGNITO_DEFAULT",
        "ReplyToEmailAddress": "shop@example.com",
    },
    "VerificationMessageTemplate": {
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
        "EmailMessage": "Your code is {####}",
        "EmailSubject": "Welcome",
    },
}


@pytest.mark.parametrize(
    "change",
    [{"tags": {**TAGS, "Owner": "shop"}}, {"deletion_protection": False}],
    ids=["a tag", "the protection"],
)
def test_a_change_keeps_the_password_policy_and_what_the_task_does_not_name(
    cloud: Cloud, change: dict[str, Any]
) -> None:
    """Cognito sets what an update leaves out to its default (API reference, UpdateUserPool)."""
    cloud.ok("user_pool", **WITH_DOMAIN)
    put(**THEIRS)(cloud)
    cloud.ok("user_pool", **WITH_DOMAIN)
    before = pool(cloud)
    assert before["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    cloud.converge("user_pool", **{**WITH_DOMAIN, **change})
    after = pool(cloud)
    changed = {"LastModifiedDate", *(["UserPoolTags"] if "tags" in change else ["DeletionProtection"])}
    assert {key for key in after if after[key] != before.get(key)} <= changed
    assert {key: after[key] for key in THEIRS} == THEIRS


def test_a_pool_goes_with_its_protection_its_domain_and_its_clients(cloud: Cloud) -> None:
    cloud.ok("user_pool", **WITH_DOMAIN)
    by = {"UserPoolId": pool(cloud)["Id"]}
    cloud.cognito.create_user_pool_client(**by, ClientName="theirs")
    with pytest.raises(ClientError, match="deletion protection"):
        cloud.cognito.delete_user_pool(**by)
    cloud.converge("user_pool", name=NAME, state="absent")
    assert pools(cloud) == []


def test_cognito_deletes_no_pool_with_a_domain(cloud: Cloud) -> None:
    cloud.ok("user_pool", **{**WITH_DOMAIN, "deletion_protection": False})
    with pytest.raises(ClientError, match="domain configured"):
        cloud.cognito.delete_user_pool(UserPoolId=pool(cloud)["Id"])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"password_length": 5}, "password_length 5"),
        ({"temporary_password_days": 0}, "temporary_password_days 0"),
        ({"domain": "my-cognito-shop"}, "reserved word cognito"),
        ({"domain": "Shop"}, "small letters"),
    ],
)
def test_what_cognito_does_not_take_is_told_before_anything_is_made(
    cloud: Cloud, wrong: dict[str, Any], told: str
) -> None:
    wrote = len(cloud.writes)
    failed = cloud.run("user_pool", **{**POOL, "name": "services-wrong", **wrong})
    assert failed["failed"] and told in failed["msg"] and "Fix:" in failed["msg"]
    assert cloud.writes[wrote:] == []


def test_a_pool_with_another_way_to_sign_in_is_left_alone(cloud: Cloud) -> None:
    cloud.cognito.create_user_pool(PoolName="services-by-name", UsernameAttributes=["phone_number"])
    wrote = len(cloud.writes)
    failed = cloud.run("user_pool", **{**POOL, "name": "services-by-name"})
    assert failed["failed"] and "cannot change" in failed["msg"] and "Fix:" in failed["msg"]
    assert cloud.writes[wrote:] == []


def test_two_pools_of_the_name_are_an_error(cloud: Cloud) -> None:
    for _ in range(2):
        cloud.cognito.create_user_pool(PoolName="services-twice")
    failed = cloud.run("user_pool", name="services-twice")
    assert failed["failed"] and "2 user pools are called services-twice" in failed["msg"]
