"""The module http_api: create, repair, remove."""

from __future__ import annotations

import json
import urllib.request
from typing import Any

import pytest

from tests.support.modules import Act
from tests.support.services import Cloud, permissions
from tests.support.tasks import ACCOUNT, API, BY_FUNCTION, FUNCTION_ARN, JWT, ORIGIN, REGION, TAGS


@pytest.fixture
def api(access_log: Cloud) -> Cloud:
    access_log.ok("http_api", **API)
    return access_log


def find_api(cloud: Cloud) -> dict[str, Any]:
    [found] = [item for item in cloud.gateway.get_apis()["Items"] if item["Name"] == "services-api"]
    return dict(found)


def by_api(cloud: Cloud) -> dict[str, str]:
    return {"ApiId": find_api(cloud)["ApiId"]}


def parts(cloud: Cloud, kind: str) -> list[dict[str, Any]]:
    return list(getattr(cloud.gateway, f"get_{kind}s")(**by_api(cloud))["Items"])


def only(cloud: Cloud, kind: str) -> dict[str, Any]:
    [found] = parts(cloud, kind)
    return found


def route(cloud: Cloud, key: str) -> dict[str, Any]:
    return next(item for item in parts(cloud, "route") if item["RouteKey"] == key)


def assert_api(cloud: Cloud) -> None:
    api = find_api(cloud)
    assert (api["ProtocolType"], api["Description"], api["Tags"]) == ("HTTP", "Collector", TAGS)
    assert not api.get("DisableExecuteApiEndpoint")
    cors = api["CorsConfiguration"]
    assert (cors["AllowOrigins"], cors["AllowMethods"], cors["MaxAge"]) == ([ORIGIN], ["POST"], 3600)
    assert set(cors["AllowHeaders"]) == {"content-type", "authorization"}
    integration = only(cloud, "integration")
    assert (integration["IntegrationType"], integration["IntegrationUri"]) == ("AWS_PROXY", FUNCTION_ARN)
    assert (integration["PayloadFormatVersion"], integration["TimeoutInMillis"]) == ("2.0", 30000)
    assert not integration.get("RequestParameters")
    authorizer = only(cloud, "authorizer")
    assert authorizer["JwtConfiguration"] == {"Issuer": JWT["issuer"], "Audience": ["client"]}
    assert authorizer["IdentitySource"] == ["$request.header.Authorization"]
    target = f"integrations/{integration['IntegrationId']}"
    open_route, own_route = route(cloud, "POST /clickstream"), route(cloud, "POST /clickstream/me")
    assert len(parts(cloud, "route")) == 2
    assert (open_route["AuthorizationType"], open_route["Target"]) == ("NONE", target)
    assert (own_route["AuthorizationType"], own_route["Target"]) == ("JWT", target)
    assert own_route["AuthorizerId"] == authorizer["AuthorizerId"]
    stage = only(cloud, "stage")
    assert (stage["StageName"], stage["AutoDeploy"], stage["Tags"]) == ("$default", True, TAGS)
    limits = stage["DefaultRouteSettings"]
    assert (limits["ThrottlingBurstLimit"], limits["ThrottlingRateLimit"]) == (200, 100.0)
    assert limits["DetailedMetricsEnabled"] is True
    log = stage["AccessLogSettings"]
    assert log["DestinationArn"].removesuffix(":*").endswith(":log-group:/services/access")
    assert json.loads(log["Format"])["status"] == "$context.status"
    assert not stage.get("RouteSettings") and not stage.get("StageVariables")
    permission = permissions(cloud)["http-api"]
    assert permission["Principal"] == {"Service": "apigateway.amazonaws.com"}
    assert f":{ACCOUNT}:{api['ApiId']}/*" in json.dumps(permission["Condition"])


def test_an_api_is_created_with_all_its_parts(access_log: Cloud) -> None:
    done = access_log.converge("http_api", **API)
    assert_api(access_log)
    assert done["resource"]["api_endpoint"] == find_api(access_log)["ApiEndpoint"]
    access_log.converge("http_api", name="services-api", function="services-function", state="absent")
    assert "services-api" not in [item["Name"] for item in access_log.gateway.get_apis()["Items"]]
    assert "http-api" not in permissions(access_log)


def test_without_a_pool_there_is_no_route_that_promises_an_identity(api: Cloud) -> None:
    api.converge("http_api", **{key: value for key, value in API.items() if key != "jwt"})
    assert only(api, "route")["RouteKey"] == "POST /clickstream"
    assert parts(api, "authorizer") == []


def test_an_api_without_cors_admits_no_other_origin(api: Cloud) -> None:
    api.converge("http_api", **{key: value for key, value in API.items() if key != "cors"})
    assert not find_api(api).get("CorsConfiguration", {}).get("AllowOrigins")


def test_an_origin_given_twice_is_no_drift(api: Cloud) -> None:
    assert api.ok("http_api", **{**API, "cors": {"allow_origins": [ORIGIN, ORIGIN]}})["changed"] is False


def test_the_api_answers_and_its_preflight_is_right(api: Cloud) -> None:
    url = f"{find_api(api)['ApiEndpoint']}/clickstream"
    with urllib.request.urlopen(urllib.request.Request(url, data=b"{}", method="POST")) as answer:  # noqa: S310
        assert answer.status == 200 and json.loads(answer.read()) == "/clickstream"
    asked = {
        "Origin": ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    preflight = urllib.request.Request(url, method="OPTIONS", headers=asked)  # noqa: S310
    with urllib.request.urlopen(preflight) as answer:  # noqa: S310
        headers = {key.lower(): value for key, value in answer.headers.items()}
    assert headers["access-control-allow-origin"] == ORIGIN
    assert "authorization" in headers["access-control-allow-headers"]
    assert headers["access-control-max-age"] == "3600"


def update_cors(**what: Any) -> Act:
    return lambda cloud: cloud.gateway.update_api(
        **by_api(cloud), CorsConfiguration={"AllowOrigins": ["*"], "AllowMethods": ["POST"], **what}
    )


def update_stage(**what: Any) -> Act:
    return lambda cloud: cloud.gateway.update_stage(**by_api(cloud), StageName="$default", **what)


def update_only(kind: str, **what: Any) -> Act:
    def act(cloud: Cloud) -> None:
        key = f"{kind.capitalize()}Id"
        getattr(cloud.gateway, f"update_{kind}")(**by_api(cloud), **{key: only(cloud, kind)[key]}, **what)

    return act


def open_own_route(cloud: Cloud) -> None:
    route_id = route(cloud, "POST /clickstream/me")["RouteId"]
    cloud.gateway.update_route(**by_api(cloud), RouteId=route_id, AuthorizationType="NONE")


def lose_integration(cloud: Cloud) -> None:
    for item in parts(cloud, "route"):
        cloud.gateway.delete_route(**by_api(cloud), RouteId=item["RouteId"])
    cloud.gateway.delete_integration(
        **by_api(cloud), IntegrationId=only(cloud, "integration")["IntegrationId"]
    )


def elsewhere(cloud: Cloud) -> None:
    """A second integration, and the open route points to it."""
    made = cloud.gateway.create_integration(
        **by_api(cloud),
        IntegrationType="HTTP_PROXY",
        IntegrationMethod="POST",
        IntegrationUri="https://elsewhere.example.com",
        PayloadFormatVersion="1.0",
    )
    cloud.gateway.update_route(
        **by_api(cloud),
        RouteId=route(cloud, "POST /clickstream")["RouteId"],
        Target=f"integrations/{made['IntegrationId']}",
    )


def double(cloud: Cloud) -> None:
    """The same integration twice, and the open route uses the second."""
    made = cloud.gateway.create_integration(
        **by_api(cloud),
        IntegrationType="AWS_PROXY",
        IntegrationMethod="POST",
        IntegrationUri=FUNCTION_ARN,
        PayloadFormatVersion="2.0",
        TimeoutInMillis=30000,
    )
    cloud.gateway.update_route(
        **by_api(cloud),
        RouteId=route(cloud, "POST /clickstream")["RouteId"],
        Target=f"integrations/{made['IntegrationId']}",
    )


def tag(path: str = "") -> Act:
    def act(cloud: Cloud) -> None:
        arn = f"arn:aws:apigateway:{REGION}::/apis/{find_api(cloud)['ApiId']}{path}"
        cloud.gateway.tag_resource(ResourceArn=arn, Tags={"x": "y"})

    return act


API_DRIFT: dict[str, Act] = {
    "description": lambda c: c.gateway.update_api(**by_api(c), Description="?"),
    "endpoint disabled": lambda c: c.gateway.update_api(**by_api(c), DisableExecuteApiEndpoint=True),
    "CORS admits all": update_cors(),
    "CORS admits cookies": update_cors(AllowOrigins=[ORIGIN], AllowCredentials=True),
    "CORS without authorization": update_cors(
        AllowOrigins=[ORIGIN], AllowHeaders=["content-type"], MaxAge=3600
    ),
    "CORS is gone": lambda c: c.gateway.delete_cors_configuration(**by_api(c)),
    "an extra tag": tag(),
    "another payload": update_only("integration", PayloadFormatVersion="1.0"),
    "another timeout": update_only("integration", TimeoutInMillis=1000),
    "another function": update_only("integration", IntegrationUri=f"{FUNCTION_ARN}-other"),
    "a parameter mapping": update_only("integration", RequestParameters={"append:header.x": "y"}),
    "no integration": lose_integration,
    "a route that goes elsewhere": elsewhere,
    "the integration twice": double,
    "another issuer": update_only(
        "authorizer", JwtConfiguration={"Issuer": "https://evil.example.com", "Audience": ["client"]}
    ),
    "another audience": update_only(
        "authorizer", JwtConfiguration={"Issuer": JWT["issuer"], "Audience": ["client", "other"]}
    ),
    "another token source": update_only("authorizer", IdentitySource=["$request.querystring.token"]),
    "an extra authorizer": lambda c: c.gateway.create_authorizer(
        **by_api(c),
        Name="other",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": JWT["issuer"], "Audience": ["x"]},
    ),
    "the route to oneself is open": open_own_route,
    "an extra route": lambda c: c.gateway.create_route(
        **by_api(c), RouteKey="GET /debug", Target=f"integrations/{only(c, 'integration')['IntegrationId']}"
    ),
    "a route that is gone": lambda c: c.gateway.delete_route(
        **by_api(c), RouteId=route(c, "POST /clickstream")["RouteId"]
    ),
    "no stage": lambda c: c.gateway.delete_stage(**by_api(c), StageName="$default"),
    "an extra stage": lambda c: c.gateway.create_stage(**by_api(c), StageName="dev", AutoDeploy=True),
    "no deployment by itself": update_stage(AutoDeploy=False),
    "other limits": update_stage(
        DefaultRouteSettings={
            "ThrottlingBurstLimit": 1,
            "ThrottlingRateLimit": 1.0,
            "DetailedMetricsEnabled": False,
        }
    ),
    "limits of one route": update_stage(
        RouteSettings={"POST /clickstream": {"ThrottlingBurstLimit": 1, "ThrottlingRateLimit": 1.0}}
    ),
    "stage variables": update_stage(StageVariables={"x": "y"}),
    "another access log": update_stage(
        AccessLogSettings={
            "DestinationArn": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/other",
            "Format": "$context.requestId",
        }
    ),
    "no access log": lambda c: c.gateway.delete_access_log_settings(**by_api(c), StageName="$default"),
    "an extra tag of the stage": tag("/stages/$default"),
    "no permission": lambda c: c.functions.remove_permission(**BY_FUNCTION, StatementId="http-api"),
}


@pytest.mark.parametrize("drift", API_DRIFT)
def test_an_api_is_repaired(api: Cloud, drift: str) -> None:
    API_DRIFT[drift](api)
    api.converge("http_api", **API)
    assert_api(api)


def test_two_apis_of_one_name_are_an_error(api: Cloud) -> None:
    second = api.gateway.create_api(Name="services-api", ProtocolType="HTTP")["ApiId"]
    result = api.run("http_api", **API)
    assert result["failed"] and second in result["msg"] and "Fix:" in result["msg"]
    api.gateway.delete_api(ApiId=second)


def test_an_api_waits_for_its_parents(cloud: Cloud, some_function: Cloud) -> None:
    other = {**API, "name": "services-other"}
    cloud.pending("http_api", **{**other, "function": "nobody", "needs": "nobody"})
    cloud.pending("http_api", **{**other, "access_log_group": "/nowhere", "needs": "/nowhere"})
    tokens = {"user_pool": "services-nobodys", "client": "services-web"}
    cloud.ok("log_group", name="/services/access")
    cloud.pending("http_api", **{**other, "jwt": tokens, "needs": "services-nobodys"})


def test_whose_tokens_count_is_said_in_one_of_two_ways(some_function: Cloud) -> None:
    both = {**JWT, "user_pool": "services-users", "client": "services-web"}
    for wrong in ({"issuer": JWT["issuer"]}, {"client": "services-web"}, both):
        assert some_function.run("http_api", **{**API, "jwt": wrong})["failed"]
