"""The parts of an HTTP API (integrations, authorizers, routes, stage), as http_api compares and sets them.

A part's *state* speaks of other parts by name (a route's authorizer, say), so that a diff can be read and a
part that does not exist yet can be compared. Its *settings* are API Gateway's words, with ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import State
from ansible_collections.clickstream.aws.plugins.module_utils.services import map_tags

STAGE = "$default"
AUTHORIZER = "jwt"
NO_CORS: State = {
    "allow_origins": [],
    "allow_methods": [],
    "allow_headers": [],
    "expose_headers": [],
    "max_age_seconds": 0,
    "allow_credentials": False,
}


def find_api(module: AnsibleAWSModule, client: Any, name: str) -> dict[str, Any] | None:
    """API Gateway's description of the API called ``name``, or None; two of the name end the module."""
    pages = client.get_paginator("get_apis").paginate()
    apis = [api for page in pages for api in page["Items"] if api["Name"] == name]
    if len(apis) > 1:
        ids = ", ".join(sorted(api["ApiId"] for api in apis))
        module.fail_json(
            msg=f"{len(apis)} HTTP APIs are called {name} ({ids}). Fix: remove all but one of them."
        )
    return apis[0] if apis else None


class Parts:
    """All parts of one kind that an API has; API Gateway's calls for each kind are named alike."""

    def __init__(self, client: Any, kind: str) -> None:
        self.client = client
        self.kind = kind
        self.id_key = f"{kind.capitalize()}Id"

    def read(self, api_id: str) -> list[dict[str, Any]]:
        """Every part as API Gateway answers it."""
        pages = self.client.get_paginator(f"get_{self.kind}s").paginate(ApiId=api_id)
        return [item for page in pages for item in page["Items"]]

    def ensure(
        self,
        api_id: str,
        found: Sequence[Mapping[str, Any]],
        key: Callable[[Mapping[str, Any]], str],
        wanted: Mapping[str, Mapping[str, Any]],
    ) -> tuple[dict[str, str], list[str]]:
        """Make the parts of ``wanted`` (settings by key) that are not ``found``, set those that differ.

        Returns the ids of the wanted parts by key, and the ids of all others (a part's double included),
        which the caller removes when nothing refers to them any more.
        """
        ids: dict[str, str] = {}
        extra: list[str] = []
        for part in found:
            name, part_id = key(part), str(part[self.id_key])
            if name not in wanted or name in ids:
                extra.append(part_id)
                continue
            ids[name] = part_id
            if any((part.get(word) or None) != (value or None) for word, value in wanted[name].items()):
                self._call("update", ApiId=api_id, **{self.id_key: part_id}, **wanted[name])
        for name in wanted.keys() - ids.keys():
            ids[name] = str(self._call("create", ApiId=api_id, **wanted[name])[self.id_key])
        return ids, extra

    def remove(self, api_id: str, part_ids: Sequence[str]) -> None:
        """Remove parts."""
        for part_id in part_ids:
            self._call("delete", ApiId=api_id, **{self.id_key: part_id})

    def _call(self, verb: str, **arguments: Any) -> Any:
        return getattr(self.client, f"{verb}_{self.kind}")(**arguments)


def described_cors(cors: Mapping[str, Any] | None) -> State:
    """A CORS configuration; the order of its lists and the case of its headers mean nothing."""
    cors = cors or {}
    return {
        "allow_origins": sorted(set(cors.get("AllowOrigins") or [])),
        "allow_methods": sorted({method.upper() for method in cors.get("AllowMethods") or []}),
        "allow_headers": sorted({header.lower() for header in cors.get("AllowHeaders") or []}),
        "expose_headers": sorted({header.lower() for header in cors.get("ExposeHeaders") or []}),
        "max_age_seconds": cors.get("MaxAge") or 0,
        "allow_credentials": bool(cors.get("AllowCredentials")),
    }


def wanted_cors(options: Mapping[str, Any] | None) -> State:
    """The task's CORS options in the form of :func:`described_cors`."""
    return described_cors(cors_settings(options).get("CorsConfiguration")) if options else NO_CORS


def cors_settings(cors: Mapping[str, Any]) -> dict[str, Any]:
    """A CORS state (or the task's options) in API Gateway's words; nothing at all where there is none."""
    if cors == NO_CORS:
        return {}
    return {
        "CorsConfiguration": {
            "AllowOrigins": cors["allow_origins"],
            "AllowMethods": cors["allow_methods"],
            "AllowHeaders": cors["allow_headers"],
            "ExposeHeaders": cors["expose_headers"],
            "MaxAge": cors["max_age_seconds"],
            "AllowCredentials": cors["allow_credentials"],
        }
    }


def described_integration(part: Mapping[str, Any]) -> State:
    """An integration: what it calls, and how."""
    mappings = {key: part[key] for key in ("RequestParameters", "ResponseParameters") if part.get(key)}
    return {
        "uri": part.get("IntegrationUri"),
        "type": part.get("IntegrationType"),
        "payload_format": part.get("PayloadFormatVersion"),
        "timeout_milliseconds": part.get("TimeoutInMillis"),
        "mappings": mappings,
    }


def integration_settings(state: State) -> dict[str, Any]:
    """An integration in API Gateway's words."""
    return {
        "IntegrationType": state["type"],
        "IntegrationUri": state["uri"],
        "IntegrationMethod": "POST",  # how API Gateway calls Lambda, whatever the route's method
        "PayloadFormatVersion": state["payload_format"],
        "TimeoutInMillis": state["timeout_milliseconds"],
    }


def described_authorizer(part: Mapping[str, Any]) -> State:
    """An authorizer: whose tokens it takes, and where it finds them."""
    jwt = part.get("JwtConfiguration") or {}
    return {
        "name": part.get("Name"),
        "type": part.get("AuthorizerType"),
        "issuer": jwt.get("Issuer"),
        "audience": sorted(set(jwt.get("Audience") or [])),
        "source": list(part.get("IdentitySource") or []),
    }


def authorizer_settings(state: State) -> dict[str, Any]:
    """An authorizer in API Gateway's words."""
    return {
        "Name": state["name"],
        "AuthorizerType": state["type"],
        "IdentitySource": state["source"],
        "JwtConfiguration": {"Issuer": state["issuer"], "Audience": state["audience"]},
    }


def described_route(
    part: Mapping[str, Any], integrations: Mapping[str, str], authorizers: Mapping[str, str]
) -> State:
    """A route, with its integration's URI and its authorizer's name from the maps by id."""
    authorization = part.get("AuthorizationType") or "NONE"
    authorizer_id = part.get("AuthorizerId") if authorization != "NONE" else None
    return {
        "authorization": authorization,
        "authorizer": authorizer_id and authorizers.get(authorizer_id, authorizer_id),
        "scopes": sorted(part.get("AuthorizationScopes") or []),
        "integration": integrations.get(str(part.get("Target", "")).removeprefix("integrations/")),
    }


def route_settings(
    key: str, state: State, integrations: Mapping[str, str], authorizers: Mapping[str, str]
) -> dict[str, Any]:
    """A route in API Gateway's words, with ids from the maps by URI and by name."""
    settings = {
        "RouteKey": key,
        "Target": f"integrations/{integrations[state['integration']]}",
        "AuthorizationType": state["authorization"],
    }
    if not state["authorizer"]:
        return settings
    authorizer = {"AuthorizerId": authorizers[state["authorizer"]], "AuthorizationScopes": state["scopes"]}
    return {**settings, **authorizer}


def described_stage(stage: Mapping[str, Any]) -> State:
    """A stage: whether it deploys by itself, the limits of all routes and of single ones, its log."""
    limits = stage.get("DefaultRouteSettings") or {}
    log = stage.get("AccessLogSettings") or {}
    return {
        "auto_deploy": bool(stage.get("AutoDeploy")),
        "burst_limit": limits.get("ThrottlingBurstLimit"),
        "rate_limit": float(limits.get("ThrottlingRateLimit") or 0),
        "detailed_metrics": bool(limits.get("DetailedMetricsEnabled")),
        "access_log": {
            "destination": str(log.get("DestinationArn") or "").removesuffix(":*"),
            "format": log.get("Format"),
        },
        "route_limits": stage.get("RouteSettings") or {},
        "variables": stage.get("StageVariables") or {},
        "tags": map_tags(stage.get("Tags")),
    }


def stage_settings(state: State) -> dict[str, Any]:
    """A stage in API Gateway's words."""
    return {
        "AutoDeploy": state["auto_deploy"],
        "DefaultRouteSettings": {
            "ThrottlingBurstLimit": state["burst_limit"],
            "ThrottlingRateLimit": state["rate_limit"],
            "DetailedMetricsEnabled": state["detailed_metrics"],
        },
        "AccessLogSettings": {
            "DestinationArn": state["access_log"]["destination"],
            "Format": state["access_log"]["format"],
        },
    }
