"""Who is signed in: roles' modules together, from an account's sign-up to the events that carry its identity.

Pool, client, API and the ingest function itself are made as the roles make them; routes are asked over HTTP.
"""

from __future__ import annotations

import base64
import json
import time
import urllib.error
import urllib.request
import uuid
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from contract.timestamps import ClockRules
from etl.records import read_object
from etl.row import Row
from tests.support.accounts import Visitor
from tests.support.modules import PROJECT
from tests.support.services import Cloud
from tests.support.tasks import ACCOUNT, ORIGIN, REGION, allow, trust

BUCKET = "services-signed-in"
NAMES = {"user_pool": "signed-in-users", "client": "signed-in-web"}
FUNCTION = "signed-in-ingest"


@dataclass
class Shop:
    """The collector, and the pool whose tokens it takes."""

    cloud: Cloud
    url: str
    pool_id: str
    client_id: str

    def visitor(self) -> Visitor:
        return Visitor(self.cloud.endpoint, self.pool_id, self.client_id, f"{uuid.uuid4().hex}@example.com")

    def keys(self) -> set[str]:
        return {one["Key"] for one in self.cloud.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])}

    def send(self, token: str | None = None, **claimed: Any) -> tuple[int, list[Row]]:
        """The answer to a page's event, with a token at the route for it, and the rows that it became."""
        event = {"eventId": str(uuid.uuid4()), "eventName": "page_view", "clientId": "c", **claimed}
        headers = {"content-type": "application/json", "origin": ORIGIN}
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        before = self.keys()
        sent = urllib.request.Request(  # noqa: S310 - this computer
            self.url + ("/me" if token is not None else ""),
            data=json.dumps(event).encode(),
            headers=headers,
            method="POST",
        )
        try:
            with urllib.request.urlopen(sent) as answer:  # noqa: S310
                status = answer.status
        except urllib.error.HTTPError as error:
            status = error.code
        return status, [row for key in self.keys() - before for row in self.rows(key)]

    def rows(self, key: str) -> list[Row]:
        body = self.cloud.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()
        read = read_object(body, key, datetime.now(UTC), ClockRules(), 1_000_000)
        return [Row.of_line(line) for _, line in read.lines]


def ingest(folder: Path) -> str:
    """The ingest function's zip, which needs nothing that Lambda does not have."""
    path = folder / "ingest.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for package in ("ingest", "contract"):
            for file in sorted((PROJECT / "lambda_src" / package).rglob("*.py")):
                archive.write(file, file.relative_to(PROJECT / "lambda_src"))
    return str(path)


@pytest.fixture(scope="module")
def shop(cloud: Cloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    cloud.s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    rights = {"write": allow("s3:PutObject", f"arn:aws:s3:::{BUCKET}/*")}
    cloud.ok("iam_role", name="signed-in-role", trust=trust("lambda.amazonaws.com"), inline_policies=rights)
    cloud.ok("log_group", name="/services/signed-in")
    cloud.ok("user_pool", name=NAMES["user_pool"], deletion_protection=False)
    cloud.ok("user_pool_client", name=NAMES["client"], user_pool=NAMES["user_pool"])
    cloud.ok(
        "lambda_function",
        name=FUNCTION,
        zip=ingest(tmp_path_factory.mktemp("ingest")),
        handler="ingest.handler.handler",
        runtime="python3.13",
        role="signed-in-role",
        timeout=29,
        environment={"RAW_BUCKET": BUCKET, "INGEST_ALLOWED_ORIGINS": ORIGIN},
        foreign_permissions=["http-api"],
    )
    made = cloud.converge(
        "http_api",
        name="signed-in-api",
        function=FUNCTION,
        routes=[{"key": "POST /clickstream"}, {"key": "POST /clickstream/me", "jwt": True}],
        jwt=NAMES,
        cors={"allow_origins": [ORIGIN]},
        access_log_group="/services/signed-in",
    )["resource"]
    [authorizer] = made["authorizers"]
    pool_id, [client_id] = authorizer["issuer"].rpartition("/")[2], authorizer["audience"]
    yield Shop(cloud, f"{made['api_endpoint']}/clickstream", pool_id, client_id)
    for module, name in (("http_api", "signed-in-api"), ("user_pool", NAMES["user_pool"])):
        more = {"function": FUNCTION} if module == "http_api" else {}
        cloud.ok(module, name=name, state="absent", **more)


def claims(token: str) -> dict[str, Any]:
    middle = token.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(middle + "=" * (-len(middle) % 4))))


def part(value: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


CLAIMED = {"userId": "root", "userLoginState": "logged_in", "identitySource": "cognito"}


def test_from_sign_up_to_sign_out_verified_and_unverified_events_are_told_apart(shop: Shop) -> None:
    visitor = shop.visitor()
    status, [anonymous] = shop.send()
    assert (status, anonymous.user_id, anonymous.identity_verified) == (200, None, "f")
    with pytest.raises(ClientError, match="verification code"):
        visitor.sign_up(code="000000")
    visitor.confirm()
    user = shop.cloud.cognito.admin_get_user(UserPoolId=shop.pool_id, Username=visitor.email)
    attributes = {one["Name"]: one["Value"] for one in user["UserAttributes"]}
    assert (user["UserStatus"], attributes["email_verified"]) == ("CONFIRMED", "true")

    tokens = visitor.sign_in()
    status, [signed_in] = shop.send(tokens["AccessToken"], userId="somebody else", userLoginState="guest")
    identity = (signed_in.user_id, signed_in.user_login_state, signed_in.identity_source)
    assert (status, identity) == (200, (attributes["sub"], "logged_in", "cognito"))
    assert signed_in.identity_verified == "t"

    status, [says_so] = shop.send(**CLAIMED)
    assert (status, says_so.user_id, says_so.user_login_state) == (200, "root", "logged_in")
    assert says_so.identity_verified == "f", "what a page says is kept, and proves nothing"

    renewed = visitor.renew(tokens["RefreshToken"])["AccessToken"]
    status, [row] = shop.send(renewed)
    assert (status, row.user_id, row.identity_verified) == (200, attributes["sub"], "t")

    visitor.sign_out(tokens["RefreshToken"])
    with pytest.raises(ClientError) as refused:
        visitor.renew(tokens["RefreshToken"])
    assert refused.value.response["Error"]["Code"] == "NotAuthorizedException"


def test_a_wrong_password_and_a_stranger_get_the_same_answer(shop: Shop) -> None:
    visitor = shop.visitor()
    visitor.sign_up()
    for other in (replace(visitor, password="Wrong-Horse-7-Battery"), shop.visitor()):
        with pytest.raises(ClientError) as refused:
            other.sign_in()
        assert refused.value.response["Error"]["Message"] == "Incorrect username or password."


def tokens_elsewhere(shop: Shop, pool_id: str, **settings: Any) -> str:
    """An access token of another client, of the same or another pool."""
    cognito = shop.cloud.cognito
    flows = ["ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    made = cognito.create_user_pool_client(
        UserPoolId=pool_id, ClientName=uuid.uuid4().hex, ExplicitAuthFlows=flows, **settings
    )["UserPoolClient"]
    visitor = replace(shop.visitor(), pool_id=pool_id, client_id=made["ClientId"])
    visitor.sign_up()
    return visitor.sign_in()["AccessToken"]


def of_another_pool(shop: Shop, token: str) -> str:
    made = shop.cloud.cognito.create_user_pool(
        PoolName="signed-in-theirs", UsernameAttributes=["email"], AutoVerifiedAttributes=["email"]
    )["UserPool"]
    return tokens_elsewhere(shop, made["Id"])


def of_another_client(shop: Shop, token: str) -> str:
    return tokens_elsewhere(shop, shop.pool_id)


def tampered(shop: Shop, token: str) -> str:
    head, _, signature = token.split(".")
    return ".".join([head, part({**claims(token), "sub": "root"}), signature])


def unsigned(shop: Shop, token: str) -> str:
    kid = json.loads(base64.urlsafe_b64decode(token.split(".")[0] + "=="))["kid"]
    return f"{part({'alg': 'none', 'kid': kid})}.{part(claims(token))}."


def signed_by_somebody(shop: Shop, token: str) -> str:
    head = token.split(".")[0]
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    text = f"{head}.{part({**claims(token), 'sub': 'root'})}"
    signature = key.sign(text.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{text}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def expired(shop: Shop, token: str) -> str:
    """A token of the pool's own key that was valid for seconds; Cognito's shortest is five minutes."""
    behind_the_endpoint = boto3.client(
        "cognito-idp",
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{int(shop.cloud.endpoint.rpartition(':')[2]) + 2}",
        aws_access_key_id=ACCOUNT,
        aws_secret_access_key="test",
    )
    by = {"UserPoolId": shop.pool_id, "ClientId": shop.client_id}
    now = behind_the_endpoint.describe_user_pool_client(**by)["UserPoolClient"]
    units = {**now["TokenValidityUnits"], "AccessToken": "seconds"}
    behind_the_endpoint.update_user_pool_client(**by, AccessTokenValidity=3, TokenValidityUnits=units)
    visitor = shop.visitor()
    visitor.sign_up()
    short = visitor.sign_in()["AccessToken"]
    behind_the_endpoint.update_user_pool_client(
        **by,
        AccessTokenValidity=now["AccessTokenValidity"],
        TokenValidityUnits=now["TokenValidityUnits"],
    )
    while time.time() <= claims(short)["exp"]:
        time.sleep(0.2)
    return short


REFUSED = {
    "another pool": of_another_pool,
    "another client": of_another_client,
    "another user written in": tampered,
    "alg none": unsigned,
    "somebody's own key": signed_by_somebody,
    "expired": expired,
    "no token": lambda shop, token: "",
    "no JWT": lambda shop, token: "x.y.z",
}


@pytest.fixture(scope="module")
def token(shop: Shop) -> str:
    visitor = shop.visitor()
    visitor.sign_up()
    return visitor.sign_in()["AccessToken"]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_token_that_proves_nothing_is_refused_and_leaves_no_event(
    shop: Shop, token: str, refused: str
) -> None:
    assert shop.send(REFUSED[refused](shop, token), **CLAIMED) == (401, [])
    status, [row] = shop.send(token)
    assert (status, row.user_id, row.identity_verified) == (200, claims(token)["sub"], "t")
