#!/usr/bin/python
"""Ansible module: an HTTP API (API Gateway v2) in front of one Lambda function."""

from __future__ import annotations

DOCUMENTATION = r"""
module: http_api
short_description: An HTTP API in front of one Lambda function
description:
  - Creates, repairs or removes the HTTP API (API Gateway v2) called O(name), with one Lambda proxy
    integration (payload format 2.0), routes, a JWT authorizer where O(jwt) is given, and the stage
    C($default), which deploys every change by itself.
  - Integrations, authorizers, routes, stages, limits of single routes, stage variables and parameter
    mappings that the task does not name are removed.
  - The tags are those of the API and of its stage.
  - The function's permission for this API (statement O(permission_sid)) is part of it. Name that statement in
    O(clickstream.aws.lambda_function#module:foreign_permissions) of the function's own task.
  - API Gateway knows APIs by id. Two APIs of this name are an error.
options:
  name:
    description: Name of the API.
    type: str
    required: true
  function:
    description: Name of the Lambda function behind every route. Required when O(state=present).
    type: str
  routes:
    description: Routes of the API.
    type: list
    elements: dict
    default: []
    suboptions:
      key:
        description: Method and path, such as V(POST /clickstream).
        type: str
        required: true
      jwt:
        description:
          - Whether the route needs a token. Without O(jwt) such a route does not exist, so that it is never
            open.
        type: bool
        default: false
  jwt:
    description:
      - Whose tokens routes with O(routes[].jwt=true) accept, as O(jwt.issuer) and O(jwt.audience), or as
        O(jwt.user_pool) and O(jwt.client).
    type: dict
    suboptions:
      issuer:
        description: Issuer, of whom API Gateway fetches the keys.
        type: str
      audience:
        description: Audiences.
        type: list
        elements: str
      user_pool:
        description: Name of the Cognito user pool that issues the tokens.
        type: str
      client:
        description: Name of the app client in O(jwt.user_pool) that they are for.
        type: str
  cors:
    description: Which browser origins may call the API. By default none.
    type: dict
    suboptions:
      allow_origins:
        description: Origins, such as V(https://shop.example.com).
        type: list
        elements: str
        required: true
      allow_methods:
        description: HTTP methods.
        type: list
        elements: str
        default: [POST]
      allow_headers:
        description: Request headers.
        type: list
        elements: str
        default: [content-type, authorization]
      expose_headers:
        description: Response headers that a page may read.
        type: list
        elements: str
        default: []
      max_age_seconds:
        description: Seconds that a browser remembers the answer to a preflight request.
        type: int
        default: 3600
      allow_credentials:
        description: Whether a browser sends cookies.
        type: bool
        default: false
  burst_limit:
    description: How many requests, over all routes, may be open at once before API Gateway answers 429.
    type: int
    default: 200
  rate_limit:
    description: How many requests per second, over all routes, API Gateway lets through.
    type: float
    default: 100.0
  detailed_metrics:
    description: Whether CloudWatch gets metrics for each route.
    type: bool
    default: true
  access_log_group:
    description: Name of the log group of the access log. Required when O(state=present).
    type: str
  access_log_addresses:
    description:
      - Whether the access log has the caller's address and user agent. API Gateway cannot shorten an address.
    type: bool
    default: false
  access_log_format:
    description:
      - Names and C($context) variables of an access log line, which is a JSON object. By default time,
        request, answer, latencies and errors.
    type: dict
  timeout_milliseconds:
    description: How long API Gateway waits for the function, 30 seconds at most.
    type: int
    default: 30000
  permission_sid:
    description: Id of the statement in the function's policy that lets this API call it.
    type: str
    default: http-api
  description:
    description: What the API is for.
    type: str
    default: ""
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Collect events, without and with a verified identity
  clickstream.aws.http_api:
    name: clickstream-http-api
    function: clickstream-lambda-ingest
    routes:
      - key: POST /clickstream
      - {key: POST /clickstream/me, jwt: true}
    jwt:
      user_pool: clickstream-users
      client: clickstream-web
    cors:
      allow_origins: [https://shop.example.com]
    access_log_group: /aws/apigateway/clickstream-http-api

- name: Remove the API and its permission
  clickstream.aws.http_api:
    name: clickstream-http-api
    function: clickstream-lambda-ingest
    state: absent
"""

RETURN = r"""
exists:
  description: Whether the API exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The API after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the API does not exist.
  returned: unless pending
  type: dict
  contains:
    api_id:
      description: Id of the API.
      type: str
      sample: a1b2c3d4e5
    api_endpoint:
      description: URL of its stage C($default).
      type: str
      sample: https://a1b2c3d4e5.execute-api.ap-southeast-1.amazonaws.com
    arn:
      description: ARN of the API, as tags need it.
      type: str
      sample: arn:aws:apigateway:ap-southeast-1::/apis/a1b2c3d4e5
    description:
      description: What the API is for.
      type: str
    endpoint_enabled:
      description: Whether RV(resource.api_endpoint) answers.
      type: bool
    cors:
      description: Which browser origins may call the API.
      type: dict
      contains:
        allow_origins:
          description: Origins.
          type: list
          elements: str
        allow_methods:
          description: HTTP methods.
          type: list
          elements: str
        allow_headers:
          description: Request headers, in lower case.
          type: list
          elements: str
        expose_headers:
          description: Response headers that a page may read, in lower case.
          type: list
          elements: str
        max_age_seconds:
          description: How long a browser remembers the answer to a preflight request.
          type: int
        allow_credentials:
          description: Whether a browser sends cookies.
          type: bool
    integrations:
      description: What the routes lead to.
      type: list
      elements: dict
      contains:
        uri:
          description: ARN of the function.
          type: str
        type:
          description: Type of the integration.
          type: str
          sample: AWS_PROXY
        payload_format:
          description: Version of the event that the function gets.
          type: str
          sample: "2.0"
        timeout_milliseconds:
          description: How long API Gateway waits for the function.
          type: int
        mappings:
          description: Parameter mappings, in API Gateway's words.
          type: dict
    authorizers:
      description: Whose tokens the routes take.
      type: list
      elements: dict
      contains:
        name:
          description: Name of the authorizer.
          type: str
        type:
          description: Type of the authorizer.
          type: str
          sample: JWT
        issuer:
          description: Issuer of the tokens.
          type: str
        audience:
          description: Audiences of the tokens.
          type: list
          elements: str
        source:
          description: Where a request carries its token.
          type: list
          elements: str
    routes:
      description: What the API answers.
      type: dict
      contains:
        <method and path>:
          description: One entry for each route.
          type: dict
          contains:
            authorization:
              description: V(JWT) where the route needs a token, V(NONE) where it is open.
              type: str
            authorizer:
              description: Name of the authorizer; null where the route is open.
              type: str
            scopes:
              description: Scopes that a token must have.
              type: list
              elements: str
            integration:
              description: ARN of the function.
              type: str
    stages:
      description: Where routes are deployed to.
      type: dict
      contains:
        <name of the stage>:
          description: One entry for each stage.
          type: dict
          contains:
            auto_deploy:
              description: Whether every change is deployed by itself.
              type: bool
            burst_limit:
              description: How many requests may be under way at once.
              type: int
            rate_limit:
              description: How many requests per second are let through.
              type: float
            detailed_metrics:
              description: Whether CloudWatch has metrics for each route.
              type: bool
            access_log:
              description: Where access is logged, and in which format.
              type: dict
              contains:
                destination:
                  description: ARN of the log group.
                  type: str
                format:
                  description: Format of a line.
                  type: str
            route_limits:
              description: Limits of single routes, in API Gateway's words.
              type: dict
            variables:
              description: Stage variables.
              type: dict
            tags:
              description: All tags of the stage.
              type: dict
    permission:
      description: The statement O(permission_sid) in the function's policy; null where there is none.
      type: dict
      contains:
        principal:
          description: Service that may call.
          type: str
          sample: apigateway.amazonaws.com
        action:
          description: What it may do.
          type: str
        source_arn:
          description: The requests that may call, as an ARN.
          type: str
        source_account:
          description: Account of that API; null where the ARN says it.
          type: str
        conditions:
          description: Further conditions, which this module cannot set.
          returned: where somebody else wrote such a statement
          type: dict
    tags:
      description: All tags of the API.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
"""

import json
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.http_api import (
    AUTHORIZER,
    NO_CORS,
    STAGE,
    Parts,
    authorizer_settings,
    cors_settings,
    described_authorizer,
    described_cors,
    described_integration,
    described_route,
    described_stage,
    find_api,
    integration_settings,
    route_settings,
    stage_settings,
    wanted_cors,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Missing,
    Resource,
    State,
    run_module,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    function_arn,
    function_permission,
    function_permissions,
    log_group,
    map_tags,
    repair_function_permissions,
    repair_tags,
    text_tags,
    together,
)
from ansible_collections.clickstream.aws.plugins.module_utils.user_pools import tokens_of

ACCESS_LOG = {
    "time": "$context.requestTimeEpoch",
    "requestId": "$context.requestId",
    "routeKey": "$context.routeKey",
    "path": "$context.path",
    "status": "$context.status",
    "protocol": "$context.protocol",
    "responseLength": "$context.responseLength",
    "responseLatency": "$context.responseLatency",
    "integrationLatency": "$context.integrationLatency",
    "integrationStatus": "$context.integrationStatus",
    "integrationError": "$context.integrationErrorMessage",
    "authorizerError": "$context.authorizer.error",
    "error": "$context.error.message",
}

ADDRESSES = {"sourceIp": "$context.identity.sourceIp", "userAgent": "$context.identity.userAgent"}

CORS_OPTIONS = {
    "allow_origins": {"type": "list", "elements": "str", "required": True},
    "allow_methods": {"type": "list", "elements": "str", "default": ["POST"]},
    "allow_headers": {"type": "list", "elements": "str", "default": ["content-type", "authorization"]},
    "expose_headers": {"type": "list", "elements": "str", "default": []},
    "max_age_seconds": {"type": "int", "default": 3600},
    "allow_credentials": {"type": "bool", "default": False},
}
ROUTE_OPTIONS = {
    "key": {"required": True, "no_log": False},
    "jwt": {"type": "bool", "default": False},
}
JWT_OPTIONS = {
    "issuer": {},
    "audience": {"type": "list", "elements": "str"},
    "user_pool": {},
    "client": {},
}
JWT_RULES = {
    "required_together": [("issuer", "audience"), ("user_pool", "client")],
    "required_one_of": [("issuer", "user_pool")],
    "mutually_exclusive": [("issuer", "user_pool")],
}


class HttpApi(Resource):
    """An HTTP API with all its parts, by its name."""

    kind = "HTTP API"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.gateway = module.client("apigatewayv2")
        self.functions = module.client("lambda")
        self.integrations = Parts(self.gateway, "integration")
        self.authorizers = Parts(self.gateway, "authorizer")
        self.routes = Parts(self.gateway, "route")
        self.api_id: str | None = None
        self.found: dict[str, Any] = {"integrations": [], "authorizers": [], "routes": []}

    # -- read

    def read(self) -> State | None:
        """api_id, api_endpoint, arn, and everything that :meth:`desired` names."""
        api = find_api(self.module, self.gateway, self.name)
        if api is None:
            return None
        api_id = self.api_id = str(api["ApiId"])
        self.found = together(
            integrations=partial(self.integrations.read, api_id),
            authorizers=partial(self.authorizers.read, api_id),
            routes=partial(self.routes.read, api_id),
            stages=partial(self.stages, api_id),
            permissions=self.permissions,
        )
        uris = {part["IntegrationId"]: part.get("IntegrationUri") for part in self.found["integrations"]}
        names = {part["AuthorizerId"]: part["Name"] for part in self.found["authorizers"]}
        return {
            "api_id": api_id,
            "api_endpoint": api["ApiEndpoint"],
            "arn": self.arn(),
            "description": api.get("Description", ""),
            "endpoint_enabled": not api.get("DisableExecuteApiEndpoint"),
            "cors": described_cors(api.get("CorsConfiguration")),
            # Not canonical_list, which would hide that the same integration is there twice.
            "integrations": sorted(map(described_integration, self.found["integrations"]), key=json.dumps),
            "authorizers": sorted(map(described_authorizer, self.found["authorizers"]), key=json.dumps),
            "routes": {part["RouteKey"]: described_route(part, uris, names) for part in self.found["routes"]},
            "stages": {stage["StageName"]: described_stage(stage) for stage in self.found["stages"]},
            "permission": self.found["permissions"].get(self.params["permission_sid"]),
            "tags": map_tags(api.get("Tags")),
        }

    def stages(self, api_id: str) -> list[dict[str, Any]]:
        """Every stage as API Gateway answers it."""
        pages = self.gateway.get_paginator("get_stages").paginate(ApiId=api_id)
        return [item for page in pages for item in page["Items"]]

    def permissions(self) -> dict[str, Any]:
        """Who may call the function; empty where the task names none."""
        name = self.params["function"]
        return function_permissions(self.functions, name) if name else {}

    def arn(self, path: str = "") -> str:
        """The ARN of the API, or of a part of it, as tags need it."""
        partition = self.gateway.meta.partition
        return f"arn:{partition}:apigateway:{self.module.region}::/apis/{self.api_id}{path}"

    # -- desired

    def desired(self) -> State:
        """As the task says; needs the function and the access log's group."""
        uri = function_arn(self.functions, self.params["function"])
        tags = text_tags(self.params["tags"])
        return {
            "description": self.params["description"],
            "endpoint_enabled": True,
            "cors": wanted_cors(self.params["cors"]),
            "integrations": [self.integration(uri)],
            "authorizers": [self.authorizer()] if self.params["jwt"] else [],
            "routes": {
                route["key"]: self.route(route["jwt"], uri)
                for route in self.params["routes"]
                if self.params["jwt"] or not route["jwt"]
            },
            "stages": {STAGE: {**self.stage(), "tags": tags}},
            "permission": self.permission(uri),
            "tags": tags,
        }

    def integration(self, uri: str) -> State:
        """The one integration: the function gets the whole request."""
        return {
            "uri": uri,
            "type": "AWS_PROXY",
            "payload_format": "2.0",
            "timeout_milliseconds": self.params["timeout_milliseconds"],
            "mappings": {},
        }

    def authorizer(self) -> State:
        """The one authorizer: a token in the Authorization header."""
        jwt = self.params["jwt"]
        issuer, audience = jwt.get("issuer"), jwt.get("audience")
        if not issuer:
            cognito = self.module.client("cognito-idp")
            issuer, client_id = tokens_of(self.module, cognito, jwt["user_pool"], jwt["client"])
            audience = [client_id]
        return {
            "name": AUTHORIZER,
            "type": "JWT",
            "issuer": issuer,
            "audience": sorted(set(audience)),
            "source": ["$request.header.Authorization"],
        }

    def route(self, jwt: bool, uri: str) -> State:
        """A route to the function, with or without a token."""
        return {
            "authorization": "JWT" if jwt else "NONE",
            "authorizer": AUTHORIZER if jwt else None,
            "scopes": [],
            "integration": uri,
        }

    def stage(self) -> State:
        """The one stage, without its tags."""
        group = log_group(self.module.client("logs"), self.params["access_log_group"])
        if group is None:
            raise Missing("log group", self.params["access_log_group"])
        return {
            "auto_deploy": True,
            "burst_limit": self.params["burst_limit"],
            "rate_limit": self.params["rate_limit"],
            "detailed_metrics": self.params["detailed_metrics"],
            "access_log": {
                "destination": group["arn"].removesuffix(":*"),
                "format": json.dumps(
                    self.params["access_log_format"]
                    or ACCESS_LOG | (ADDRESSES if self.params["access_log_addresses"] else {})
                ),
            },
            "route_limits": {},
            "variables": {},
        }

    def permission(self, uri: str) -> State:
        """Requests to this API, and to no other, may call the function."""
        partition, region, account = (uri.split(":")[part] for part in (1, 3, 4))
        api = self.api_id or "(id of the new API)"
        source = f"arn:{partition}:execute-api:{region}:{account}:{api}/*"
        return function_permission("apigateway.amazonaws.com", source)

    # -- create, update, delete

    def create(self, desired: State) -> None:
        """Make the bare API, then everything in it."""
        made = self.gateway.create_api(
            Name=self.name,
            ProtocolType="HTTP",
            Description=desired["description"],
            **cors_settings(desired["cors"]),
            Tags=desired["tags"],
        )
        self.api_id = str(made["ApiId"])
        new: State = {"stages": {}, "permission": None}
        wanted = {**desired, "permission": self.permission(desired["integrations"][0]["uri"])}
        self.update(new, wanted, frozenset({"integrations", "stages", "permission"}))

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair what differs: parts before the stage that deploys them."""
        if changes & {"description", "endpoint_enabled", "cors"}:
            self.repair_api(desired)
        if changes & {"integrations", "authorizers", "routes"}:
            self.repair_parts(str(self.api_id), desired)
        if "stages" in changes:
            self.repair_stages(current["stages"], desired["stages"])
        if "permission" in changes:
            sid, name = self.params["permission_sid"], self.params["function"]
            there = {sid: current["permission"]} if current["permission"] else {}
            repair_function_permissions(self.functions, name, there, {sid: desired["permission"]})
        if "tags" in changes:
            self.repair_tags(self.arn(), current["tags"], desired["tags"])

    def repair_api(self, desired: State) -> None:
        """Set what the API itself has."""
        self.gateway.update_api(
            ApiId=self.api_id,
            Description=desired["description"],
            DisableExecuteApiEndpoint=not desired["endpoint_enabled"],
            **cors_settings(desired["cors"]),
        )
        if desired["cors"] == NO_CORS:
            self.gateway.delete_cors_configuration(ApiId=self.api_id)

    def repair_parts(self, api_id: str, desired: State) -> None:
        """Make and set integrations, authorizers, then routes; remove what is extra the other way round.

        An integration that differs is replaced: AWS would patch its parameter mappings key by key.
        """
        integrations, old_integrations = self.integrations.ensure(
            api_id,
            self.found["integrations"],
            lambda part: json.dumps(described_integration(part), sort_keys=True),
            {json.dumps(s, sort_keys=True): integration_settings(s) for s in desired["integrations"]},
        )
        uris = {json.loads(state)["uri"]: part_id for state, part_id in integrations.items()}
        authorizers, old_authorizers = self.authorizers.ensure(
            api_id,
            self.found["authorizers"],
            lambda part: str(part["Name"]),
            {state["name"]: authorizer_settings(state) for state in desired["authorizers"]},
        )
        _, old_routes = self.routes.ensure(
            api_id,
            self.found["routes"],
            lambda part: str(part["RouteKey"]),
            {key: route_settings(key, s, uris, authorizers) for key, s in desired["routes"].items()},
        )
        self.routes.remove(api_id, old_routes)
        self.authorizers.remove(api_id, old_authorizers)
        self.integrations.remove(api_id, old_integrations)

    def repair_stages(self, current: State, desired: State) -> None:
        """Remove other stages; make the stage, or set it and take away what it should not have."""
        for name in current.keys() - desired.keys():
            self.gateway.delete_stage(ApiId=self.api_id, StageName=name)
        at = {"ApiId": self.api_id, "StageName": STAGE}
        wanted, there = desired[STAGE], current.get(STAGE)
        if there is None:
            self.gateway.create_stage(**at, **stage_settings(wanted), Tags=wanted["tags"])
        elif there != wanted:
            # A variable is removed by an empty value, the limits of a single route by a call of its own.
            variables = (
                {"StageVariables": dict.fromkeys(there["variables"], "")} if there["variables"] else {}
            )
            self.gateway.update_stage(**at, **stage_settings(wanted), **variables)
            for route_key in there["route_limits"]:
                self.gateway.delete_route_settings(**at, RouteKey=route_key)
            self.repair_tags(self.arn(f"/stages/{STAGE}"), there["tags"], wanted["tags"])

    def repair_tags(self, arn: str, current: dict[str, str], desired: dict[str, str]) -> None:
        """Set what is missing or different; remove what the task does not name."""
        repair_tags(
            current,
            desired,
            lambda tags: self.gateway.tag_resource(ResourceArn=arn, Tags=tags),
            lambda keys: self.gateway.untag_resource(ResourceArn=arn, TagKeys=keys),
        )

    def delete(self, current: State) -> None:
        """Remove the API with all its parts, and the function's permission for it."""
        self.gateway.delete_api(ApiId=self.api_id)
        if current["permission"]:
            sid, name = self.params["permission_sid"], self.params["function"]
            repair_function_permissions(self.functions, name, {sid: current["permission"]}, {})


def main() -> None:
    """Run the module."""
    run_module(
        HttpApi,
        {
            "name": {"required": True},
            "function": {},
            "routes": {"type": "list", "elements": "dict", "default": [], "options": ROUTE_OPTIONS},
            "jwt": {"type": "dict", "options": JWT_OPTIONS, **JWT_RULES},
            "cors": {"type": "dict", "options": CORS_OPTIONS},
            "burst_limit": {"type": "int", "default": 200},
            "rate_limit": {"type": "float", "default": 100.0},
            "detailed_metrics": {"type": "bool", "default": True},
            "access_log_group": {},
            "access_log_addresses": {"type": "bool", "default": False},
            "access_log_format": {"type": "dict"},
            "timeout_milliseconds": {"type": "int", "default": 30000},
            "permission_sid": {"default": "http-api"},
            "description": {"default": ""},
        },
        required_if_present=("function", "access_log_group"),
    )


if __name__ == "__main__":
    main()
