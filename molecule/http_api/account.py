"""Role http_api: the collector's HTTP API in front of the ingest function."""

from __future__ import annotations

import json
from typing import Any

from tests.support.molecule.account import ACCOUNT, REGION, TAGS, client, make_function, permissions

FUNCTION, LOG_GROUP = "clickstream-lambda-ingest", "/aws/vendedlogs/apigateway/clickstream-http-api"
MADE = [f"log group {LOG_GROUP}", "HTTP API clickstream-http-api"]
BROKEN = ["HTTP API clickstream-http-api: authorizers, cors, permission, stages"]


def prepare() -> None:
    """The function that answers, and the accounts' pool with its client."""
    make_function(FUNCTION)
    cognito = client("cognito-idp")
    users = cognito.create_user_pool(PoolName="clickstream-users")["UserPool"]["Id"]
    cognito.create_user_pool_client(UserPoolId=users, ClientName="clickstream-web")


def tokens() -> dict[str, Any]:
    """Whose tokens count: the pool's, for its client."""
    cognito = client("cognito-idp")
    [users] = cognito.list_user_pools(MaxResults=60)["UserPools"]
    [web] = cognito.list_user_pool_clients(UserPoolId=users["Id"], MaxResults=60)["UserPoolClients"]
    issuer = f"https://cognito-idp.{REGION}.amazonaws.com/{users['Id']}"
    return {"Issuer": issuer, "Audience": [web["ClientId"]]}


def api() -> dict[str, Any]:
    """The only API."""
    [one] = client("apigatewayv2").get_apis()["Items"]
    return dict(one)


def parts(kind: str) -> list[dict[str, Any]]:
    """The API's routes, integrations, authorizers or stages."""
    return list(getattr(client("apigatewayv2"), f"get_{kind}")(ApiId=api()["ApiId"])["Items"])


def verify() -> None:
    """An open route and one for the pool's tokens, for the shop's origins, with limits and an access log."""
    one = api()
    assert (one["Name"], one["ProtocolType"], one["Tags"]) == ("clickstream-http-api", "HTTP", TAGS)
    cors = one["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowMethods"]) == (["http://localhost:3000"], ["POST"])
    assert (set(cors["AllowHeaders"]), cors["MaxAge"]) == ({"content-type", "authorization"}, 3600)
    [integration] = parts("integrations")
    assert (integration["IntegrationType"], integration["PayloadFormatVersion"]) == ("AWS_PROXY", "2.0")
    assert integration["IntegrationUri"].endswith(f":function:{FUNCTION}")
    [authorizer] = parts("authorizers")
    assert (authorizer["AuthorizerType"], authorizer["JwtConfiguration"]) == ("JWT", tokens())
    routes = {route["RouteKey"]: route for route in parts("routes")}
    kinds = {key: (route["AuthorizationType"], route.get("AuthorizerId")) for key, route in routes.items()}
    assert kinds == {
        "POST /clickstream": ("NONE", None),
        "POST /clickstream/me": ("JWT", authorizer["AuthorizerId"]),
    }
    assert {route["Target"] for route in routes.values()} == {f"integrations/{integration['IntegrationId']}"}
    [stage] = parts("stages")
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    limits = stage["DefaultRouteSettings"]
    assert (limits["ThrottlingBurstLimit"], limits["ThrottlingRateLimit"]) == (100, 50.0)
    assert limits["DetailedMetricsEnabled"] is False
    assert stage["AccessLogSettings"]["DestinationArn"].removesuffix(":*").endswith(f":log-group:{LOG_GROUP}")
    line = stage["AccessLogSettings"]["Format"]
    for personal in ("identity", "header", "querystring", "ip", "user", "claims"):
        assert personal not in line.lower(), (
            "platform_source_ip is truncated: no line says whose request it was"
        )
    [(sid, permission)] = permissions(FUNCTION).items()
    assert (sid, permission["Principal"]) == ("http-api", {"Service": "apigateway.amazonaws.com"})
    assert f":{ACCOUNT}:{one['ApiId']}/*" in json.dumps(permission["Condition"])
    [group] = client("logs").describe_log_groups(logGroupNamePrefix=LOG_GROUP)["logGroups"]
    assert group["retentionInDays"] == 30


def break_by_hand() -> None:
    """Every origin may send, without a limit, with anybody's tokens; the function lets no API call it."""
    gateway, by = client("apigatewayv2"), {"ApiId": api()["ApiId"]}
    [authorizer] = parts("authorizers")
    anybody = {**authorizer["JwtConfiguration"], "Issuer": "https://evil.example.com"}
    gateway.update_authorizer(**by, AuthorizerId=authorizer["AuthorizerId"], JwtConfiguration=anybody)
    gateway.update_api(**by, CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["POST"]})
    access_log = parts("stages")[0]["AccessLogSettings"]
    everything = json.dumps({**json.loads(access_log["Format"]), "ip": "$context.identity.sourceIp"})
    gateway.update_stage(
        **by,
        StageName="$default",
        DefaultRouteSettings={"ThrottlingBurstLimit": 5000},
        AccessLogSettings={**access_log, "Format": everything},
    )
    client("lambda").remove_permission(FunctionName=FUNCTION, StatementId="http-api")


def removed() -> None:
    """The function is there still, and lets nobody call it."""
    assert permissions(FUNCTION) == {}
