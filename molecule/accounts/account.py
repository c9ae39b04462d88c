"""Role accounts: the user pool of the shop's users, and the app client of its pages."""

from __future__ import annotations

from typing import Any

from tests.support.molecule.account import TAGS, client

MADE = ["user pool clickstream-users", "app client clickstream-web"]
BROKEN = [
    "user pool clickstream-users: deletion_protection, password, recovery, tags, verified, "
    "verified_before_change",
    "app client clickstream-web: flows, hides_users",
]


def pool() -> dict[str, Any]:
    """The only user pool."""
    [one] = client("cognito-idp").list_user_pools(MaxResults=60)["UserPools"]
    return dict(client("cognito-idp").describe_user_pool(UserPoolId=one["Id"])["UserPool"])


def app() -> dict[str, Any]:
    """Its only app client."""
    by = {"UserPoolId": pool()["Id"]}
    [one] = client("cognito-idp").list_user_pool_clients(**by, MaxResults=60)["UserPoolClients"]
    found = client("cognito-idp").describe_user_pool_client(**by, ClientId=one["ClientId"])
    return dict(found["UserPoolClient"])


def prepare() -> None:
    """Nothing is expected."""


def verify() -> None:
    """Users sign in with a verified e-mail address and a long password; nobody deletes them by mistake."""
    users = pool()
    assert (users["Name"], users["UserPoolTags"]) == ("clickstream-users", TAGS)
    assert users["UsernameAttributes"] == users["AutoVerifiedAttributes"] == ["email"]
    assert users["UsernameConfiguration"] == {"CaseSensitive": False}
    assert users["AccountRecoverySetting"]["RecoveryMechanisms"][0]["Name"] == "verified_email"
    assert users["Policies"]["PasswordPolicy"]["MinimumLength"] == 12
    assert users["DeletionProtection"] == "ACTIVE"
    assert not users.get("Domain")
    web = app()
    assert (web["ClientName"], "ClientSecret" in web) == ("clickstream-web", False)
    assert set(web["ExplicitAuthFlows"]) == {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert (web["AccessTokenValidity"], web["TokenValidityUnits"]["AccessToken"]) == (60, "minutes")
    assert (web["PreventUserExistenceErrors"], web["EnableTokenRevocation"]) == ("ENABLED", True)
    assert web["AllowedOAuthFlowsUserPoolClient"] is False


def break_by_hand() -> None:
    """Somebody names the password policy alone, and Cognito resets the rest; bare passwords are taken."""
    cognito = client("cognito-idp")
    cognito.update_user_pool(
        UserPoolId=pool()["Id"], Policies={"PasswordPolicy": {"MinimumLength": 6, "RequireNumbers": True}}
    )
    web = app()
    cognito.update_user_pool_client(
        UserPoolId=web["UserPoolId"],
        ClientId=web["ClientId"],
        ExplicitAuthFlows=["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"],
    )


def removed() -> None:
    """Nothing else was there."""
