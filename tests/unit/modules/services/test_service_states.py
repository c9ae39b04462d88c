"""The service modules' pure parts: AWS's descriptions in one of their equal forms, and what is sent back."""

from __future__ import annotations

import json
from typing import Any
from unittest import mock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.clickstream.aws.plugins.module_utils.http_api import (
    NO_CORS,
    Parts,
    cors_settings,
    described_authorizer,
    described_cors,
    described_integration,
    described_route,
    described_stage,
    integration_settings,
    route_settings,
    stage_settings,
    wanted_cors,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    function_permission,
    function_permissions,
    tag_changes,
)
from ansible_collections.clickstream.aws.plugins.modules.bucket import (
    cors_rule,
    described_rule,
    lifecycle_rule,
    tls_only,
)
from ansible_collections.clickstream.aws.plugins.modules.bucket import (
    described_cors as described_cors_rule,
)
from ansible_collections.clickstream.aws.plugins.modules.event_rule import described_target
from ansible_collections.clickstream.aws.plugins.modules.lambda_function import (
    described_asynchronous,
    described_configuration,
)

TAGS = st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=5)
NAMES = st.lists(st.text("abcXYZ-", min_size=1, max_size=8), max_size=4, unique_by=str.lower)


@given(TAGS, TAGS)
def test_tag_changes_lead_from_one_to_the_other(current: dict[str, str], desired: dict[str, str]) -> None:
    to_set, to_remove = tag_changes(current, desired)
    after = {key: value for key, value in {**current, **to_set}.items() if key not in to_remove}
    assert after == desired
    assert not to_set.keys() & set(to_remove)


# --- bucket


@pytest.mark.parametrize("everything", [{"Filter": {}}, {"Filter": {"Prefix": ""}}, {}])
def test_a_rule_for_everything_has_one_form(everything: dict[str, Any]) -> None:
    described = described_rule({"ID": "a", "Status": "Enabled", "Expiration": {"Days": 1}, **everything})
    options = {"expire_days": 1, "expire_noncurrent_days": None, "abort_multipart_days": None}
    assert described == lifecycle_rule({"id": "a", "prefix": "", **options})


def test_a_disabled_rule_is_drift() -> None:
    options = {"expire_days": 1, "expire_noncurrent_days": None, "abort_multipart_days": None}
    wanted = lifecycle_rule({"id": "a", "prefix": "x/", **options})
    assert described_rule({**wanted, "Status": "Disabled"}) != wanted


def test_the_order_of_origins_is_no_drift() -> None:
    options = {
        "allowed_origins": ["https://b", "https://a"],
        "allowed_methods": ["GET"],
        "allowed_headers": [],
        "expose_headers": [],
        "max_age_seconds": None,
    }
    answer = {"AllowedOrigins": ["https://b", "https://a"], "AllowedMethods": ["GET"], "ExposeHeaders": []}
    assert described_cors_rule(answer) == cors_rule(options)


def test_tls_is_required_for_the_bucket_and_its_objects() -> None:
    assert tls_only("arn:aws:s3:::a")["Resource"] == ["arn:aws:s3:::a", "arn:aws:s3:::a/*"]


# --- functions


def test_a_function_in_no_vpc_and_without_extras_has_one_form() -> None:
    short = described_configuration({"Handler": "a.b", "Role": "r", "Runtime": "python3.13"})
    empty = {
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": [], "VpcId": ""},
        "Layers": [],
        "Description": "",
    }
    long = described_configuration({"Handler": "a.b", "Role": "r", "Runtime": "python3.13", **empty})
    assert short == long
    assert short["VpcConfig"] == {"SecurityGroupIds": [], "SubnetIds": []}


def test_the_rule_for_asynchronous_calls_has_the_tasks_form() -> None:
    answer = {
        "MaximumRetryAttempts": 0,
        "DestinationConfig": {"OnFailure": {"Destination": "arn"}, "OnSuccess": {}},
    }
    assert described_asynchronous(answer) == {"max_retries": 0, "max_age_seconds": 21600, "on_failure": "arn"}
    assert described_asynchronous(None) is None


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


# --- schedule


def test_a_target_that_says_nothing_of_retries_has_eventbridges() -> None:
    short = described_target({"Id": "a", "Arn": "b"})
    retries = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
    assert short == described_target({"Id": "a", "Arn": "b", "RetryPolicy": retries})


def test_the_form_of_a_targets_input_is_no_drift() -> None:
    assert described_target({"Id": "a", "Input": '{"b": 1, "a": 2}'}) == described_target(
        {"Id": "a", "Input": '{"a":2,"b":1}'}
    )


# --- HTTP API


@given(NAMES, NAMES, st.integers(0, 86400), st.booleans())
def test_cors_comes_back_as_it_was_sent(
    origins: list[str], headers: list[str], age: int, credentials: bool
) -> None:
    options = {
        "allow_origins": origins,
        "allow_methods": ["post"],
        "allow_headers": headers,
        "expose_headers": [],
        "max_age_seconds": age,
        "allow_credentials": credentials,
    }
    sent = cors_settings(options)["CorsConfiguration"]
    shuffled = {
        key: list(reversed(value)) if isinstance(value, list) else value for key, value in sent.items()
    }
    assert described_cors(shuffled) == wanted_cors(options)


@pytest.mark.parametrize("nothing", [None, {}])
def test_no_cors_has_one_form(nothing: dict[str, Any] | None) -> None:
    assert described_cors(nothing) == wanted_cors(None) == NO_CORS
    assert cors_settings(NO_CORS) == {}


INTEGRATION = {
    "uri": "arn",
    "type": "AWS_PROXY",
    "payload_format": "2.0",
    "timeout_milliseconds": 30000,
    "mappings": {},
}


def test_an_integration_comes_back_as_it_was_sent() -> None:
    assert described_integration(integration_settings(INTEGRATION)) == INTEGRATION


def test_a_parameter_mapping_is_drift() -> None:
    sent = {**integration_settings(INTEGRATION), "RequestParameters": {"append:header.a": "b"}}
    assert described_integration(sent) != INTEGRATION


ROUTE = {"authorization": "JWT", "authorizer": "jwt", "scopes": [], "integration": "arn"}
OPEN = {"authorization": "NONE", "authorizer": None, "scopes": [], "integration": "arn"}


@pytest.mark.parametrize("route", [ROUTE, OPEN])
def test_a_route_comes_back_as_it_was_sent(route: dict[str, Any]) -> None:
    sent = route_settings("POST /a", route, {"arn": "i1"}, {"jwt": "a1"})
    assert sent["Target"] == "integrations/i1"
    assert described_route(sent, {"i1": "arn"}, {"a1": "jwt"}) == route


def test_a_route_to_nowhere_or_with_an_unknown_authorizer_is_drift() -> None:
    sent = route_settings("POST /a", ROUTE, {"arn": "i1"}, {"jwt": "a1"})
    assert described_route({**sent, "Target": "integrations/gone"}, {"i1": "arn"}, {"a1": "jwt"}) != ROUTE
    assert described_route({**sent, "AuthorizerId": "a2"}, {"i1": "arn"}, {"a1": "jwt"}) != ROUTE


def test_an_open_route_remembers_no_authorizer() -> None:
    """API Gateway keeps the id of an authorizer that a route no longer uses."""
    sent = {**route_settings("POST /a", OPEN, {"arn": "i1"}, {}), "AuthorizerId": "a1"}
    assert described_route(sent, {"i1": "arn"}, {"a1": "jwt"}) == OPEN


def test_a_stage_comes_back_as_it_was_sent() -> None:
    stage = {
        "auto_deploy": True,
        "burst_limit": 5,
        "rate_limit": 10.0,
        "detailed_metrics": True,
        "access_log": {"destination": "arn:aws:logs:r:1:log-group:a", "format": "{}"},
        "route_limits": {},
        "variables": {},
        "tags": {},
    }
    assert described_stage(stage_settings(stage)) == stage


def test_audiences_have_no_order() -> None:
    part = {"Name": "jwt", "JwtConfiguration": {"Issuer": "i", "Audience": ["b", "a"]}}
    assert described_authorizer(part)["audience"] == ["a", "b"]


def test_parts_are_made_set_and_told_apart() -> None:
    client = mock.Mock()
    client.create_route.return_value = {"RouteId": "new"}
    found = [
        {"RouteId": "1", "RouteKey": "a", "Target": "right"},
        {"RouteId": "2", "RouteKey": "b", "Target": "wrong"},
        {"RouteId": "3", "RouteKey": "b", "Target": "right"},
        {"RouteId": "4", "RouteKey": "x", "Target": "right"},
    ]
    wanted = {key: {"RouteKey": key, "Target": "right"} for key in ("a", "b", "c")}
    ids, extra = Parts(client, "route").ensure("api", found, lambda part: str(part["RouteKey"]), wanted)
    assert (ids, extra) == ({"a": "1", "b": "2", "c": "new"}, ["3", "4"])
    client.update_route.assert_called_once_with(ApiId="api", RouteId="2", RouteKey="b", Target="right")
    client.create_route.assert_called_once_with(ApiId="api", RouteKey="c", Target="right")
