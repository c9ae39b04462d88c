"""The module user_pool_client: create, repair, remove; what it does not name stays."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.modules import Act
from tests.support.services import Cloud
from tests.support.tasks import APP, POOL

PAGES = {
    "callback_urls": ["https://shop.example.com/back"],
    "logout_urls": ["http://localhost:3000/"],
}
WANTED = {**APP, **PAGES}


@pytest.fixture(autouse=True)
def _pool(cloud: Cloud) -> None:
    cloud.ok("user_pool", **POOL)


def by(cloud: Cloud) -> dict[str, str]:
    found = cloud.cognito.list_user_pools(MaxResults=60)["UserPools"]
    [pool] = [one["Id"] for one in found if one["Name"] == POOL["name"]]
    clients = cloud.cognito.list_user_pool_clients(UserPoolId=pool, MaxResults=60)["UserPoolClients"]
    found = [one["ClientId"] for one in clients if one["ClientName"] == APP["name"]]
    return {"UserPoolId": pool, **({"ClientId": found[0]} if found else {})}


def client(cloud: Cloud) -> dict[str, Any]:
    return dict(cloud.cognito.describe_user_pool_client(**by(cloud))["UserPoolClient"])


def put(**wanted: Any) -> Act:
    """Somebody updates the client, and names no more than this: Cognito resets the rest."""
    return lambda cloud: cloud.cognito.update_user_pool_client(**by(cloud), **wanted)


def assert_client(cloud: Cloud) -> None:
    found = client(cloud)
    assert "ClientSecret" not in found
    assert set(found["ExplicitAuthFlows"]) == {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"}
    assert found["TokenValidityUnits"] == {
        "AccessToken": "minutes",
        "IdToken": "minutes",
        "RefreshToken": "days",
    }
    validity = [found[f"{token}Validity"] for token in ("AccessToken", "IdToken", "RefreshToken")]
    assert validity == [60, 60, 30]
    assert (found["PreventUserExistenceErrors"], found["EnableTokenRevocation"]) == ("ENABLED", True)
    assert (found["AllowedOAuthFlows"], found["AllowedOAuthFlowsUserPoolClient"]) == (["code"], True)
    assert set(found["AllowedOAuthScopes"]) == {"openid", "email", "profile"}
    assert (found["CallbackURLs"], found["LogoutURLs"]) == (PAGES["callback_urls"], PAGES["logout_urls"])
    assert found["SupportedIdentityProviders"] != []


def test_a_client_is_created_in_its_pool(cloud: Cloud) -> None:
    cloud.pending("user_pool_client", needs="services-nowhere", **{**APP, "user_pool": "services-nowhere"})
    cloud.cognito.create_user_pool_client(UserPoolId=by(cloud)["UserPoolId"], ClientName="theirs")
    cloud.converge("user_pool_client", **WANTED)
    assert_client(cloud)


FLOWS = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
KEPT = {"SupportedIdentityProviders": ["COGNITO"]}
DRIFT: dict[str, Act] = {
    "a password leaves the page": put(ExplicitAuthFlows=[*FLOWS, "ALLOW_USER_PASSWORD_AUTH"], **KEPT),
    "an old name of a flow": put(ExplicitAuthFlows=["USER_PASSWORD_AUTH"], **KEPT),
    "everything is reset": put(**KEPT),
    "it tells who has an account": put(PreventUserExistenceErrors="LEGACY", **KEPT),
    "nothing can be revoked": put(EnableTokenRevocation=False, **KEPT),
    "tokens for a day": put(AccessTokenValidity=24, **KEPT),
    "sign in for ten years": put(RefreshTokenValidity=3650, **KEPT),
    "the code goes elsewhere": put(
        CallbackURLs=["https://evil.example.com/"],
        DefaultRedirectURI="https://evil.example.com/",
        AllowedOAuthFlows=["implicit"],
        AllowedOAuthScopes=["openid"],
        AllowedOAuthFlowsUserPoolClient=True,
        **KEPT,
    ),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_a_client_is_repaired(cloud: Cloud, drift: str) -> None:
    cloud.ok("user_pool_client", **WANTED)
    DRIFT[drift](cloud)
    cloud.converge("user_pool_client", **WANTED)
    assert_client(cloud)


def test_a_change_keeps_what_the_task_does_not_name(cloud: Cloud) -> None:
    theirs: dict[str, Any] = {"SupportedIdentityProviders": ["COGNITO", "Google"], "AuthSessionValidity": 10}
    cloud.ok("user_pool_client", **WANTED)
    put(**theirs)(cloud)
    cloud.converge("user_pool_client", **WANTED, access_token_minutes=5)
    found = client(cloud)
    assert found["AccessTokenValidity"] == 5
    assert {key: found[key] for key in theirs} == theirs


def test_a_client_without_hosted_pages_has_none_of_their_rights(cloud: Cloud) -> None:
    cloud.ok("user_pool_client", **WANTED)
    cloud.converge("user_pool_client", **APP)
    found = client(cloud)
    assert (found["AllowedOAuthFlowsUserPoolClient"], found["AllowedOAuthFlows"]) == (False, [])
    assert (found["CallbackURLs"], found["LogoutURLs"]) == ([], [])


def test_a_client_goes(cloud: Cloud) -> None:
    cloud.ok("user_pool_client", **WANTED)
    cloud.converge("user_pool_client", **APP, state="absent")
    assert "ClientId" not in by(cloud)


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"access_token_minutes": 4}, "access_token_minutes 4"),
        ({"id_token_minutes": 1441}, "id_token_minutes 1441"),
        ({"refresh_token_days": 3651}, "refresh_token_days 3651"),
        ({"callback_urls": ["http://shop.example.com/"]}, "http://shop.example.com/"),
        ({"callback_urls": ["https://shop.example.com/#back"]}, "#back"),
        ({"callback_urls": []}, "logout_urls"),
    ],
)
def test_what_cognito_does_not_take_is_told_before_anything_is_made(
    cloud: Cloud, wrong: dict[str, Any], told: str
) -> None:
    wrote = len(cloud.writes)
    failed = cloud.run("user_pool_client", **{**WANTED, "name": "services-wrong", **wrong})
    assert failed["failed"] and told in failed["msg"] and "Fix:" in failed["msg"]
    assert cloud.writes[wrote:] == []


def test_a_client_with_a_secret_is_left_alone(cloud: Cloud) -> None:
    cloud.cognito.create_user_pool_client(
        UserPoolId=by(cloud)["UserPoolId"], ClientName="services-server", GenerateSecret=True
    )
    failed = cloud.run("user_pool_client", **{**APP, "name": "services-server"})
    assert failed["failed"] and "secret" in failed["msg"] and "Fix:" in failed["msg"]


REFUSED: dict[str, dict[str, Any]] = {
    "mixed flows": {"ExplicitAuthFlows": ["ALLOW_USER_SRP_AUTH", "USER_PASSWORD_AUTH"]},
    "an access token of 25 hours": {"AccessTokenValidity": 25},
    "minutes taken for hours": {"AccessTokenValidity": 60},
    "a refresh token that ends first": {
        "AccessTokenValidity": 2,
        "RefreshTokenValidity": 60,
        "TokenValidityUnits": {"RefreshToken": "minutes"},
    },
    "rotation, and the flow that it replaces": {
        "RefreshTokenRotation": {"Feature": "ENABLED"},
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH"],
    },
    "hosted pages without an address": {
        "AllowedOAuthFlowsUserPoolClient": True,
        "AllowedOAuthFlows": ["code"],
        "AllowedOAuthScopes": ["openid"],
    },
    "an address without TLS": {"CallbackURLs": ["http://shop.example.com/"]},
    "a default that is no callback": {
        "CallbackURLs": ["https://shop.example.com/"],
        "DefaultRedirectURI": "https://other.example.com/",
    },
}


@pytest.mark.parametrize("refused", REFUSED)
def test_what_cognito_refuses_the_endpoint_refuses(cloud: Cloud, refused: str) -> None:
    pool = by(cloud)["UserPoolId"]
    with pytest.raises(ClientError) as told:
        cloud.cognito.create_user_pool_client(UserPoolId=pool, ClientName="refused", **REFUSED[refused])
    assert told.value.response["Error"]["Code"] in ("InvalidParameterException", "InvalidOAuthFlowException")
