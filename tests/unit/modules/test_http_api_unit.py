"""The module http_api: parts of an API come back as they were sent."""

from __future__ import annotations

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
from ansible_collections.clickstream.aws.plugins.modules.http_api import ACCESS_LOG, ADDRESSES

PERSONAL = (
    "identity",
    "authorizer.claims",
    "authorizer.jwt",
    "header",
    "query",
    "body",
    "useragent",
    "sourceip",
)
"""In names of API Gateway's variables: who sent a request, or what."""


def test_a_line_of_the_access_log_says_nothing_of_who_sent_the_request() -> None:
    variables = [value.lower() for value in ACCESS_LOG.values()]
    assert all(value.startswith("$context.") for value in variables)
    assert [value for value in variables for word in PERSONAL if word in value] == []
    assert ACCESS_LOG.keys().isdisjoint(ADDRESSES), "what full adds is only that"


NAMES = st.lists(st.text("abcXYZ-", min_size=1, max_size=8), max_size=4, unique_by=str.lower)


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
