"""Fixes of emulator bugs, one function each.

Its docstring says what the emulator does and what AWS does. Register it with
``@before`` (edit the call) or ``@after`` (edit the answer); see
:mod:`local_cloud.router.hooks`. Prefer a fix here over a workaround in a role: a role must
not know where it runs.
"""

from __future__ import annotations

import json
import uuid
from urllib.parse import quote

from local_cloud.router.backends import Backends
from local_cloud.router.calls import EXECUTE_API, Answer, Call, JsonObject
from local_cloud.router.hooks import after, answers, before


@after("apigateway", "CreateApi", "GetApi", "GetApis", "UpdateApi", "ImportApi", "ReimportApi")
async def api_endpoint(call: Call, backends: Backends, answer: Answer) -> None:
    """ministack answers a host name that does not resolve; this one is the endpoint's."""
    value = answer.json
    for api in [value, *value.get("items", [])]:
        if "apiId" in api and "apiEndpoint" in api:
            api["apiEndpoint"] = f"{backends.settings.endpoint}{EXECUTE_API}{api['apiId']}"
    answer.replace_json(value)


@after("sqs", "CreateQueue", "GetQueueUrl", "ListQueues", "ListDeadLetterSourceQueues")
async def queue_url(call: Call, backends: Backends, answer: Answer) -> None:
    """ministack names its own port in queue addresses; clients know the endpoint's only."""
    settings = backends.settings
    own = f"http://127.0.0.1:{settings.ministack_port}/".encode()
    answer.body = answer.body.replace(own, f"{settings.endpoint}/".encode())


@after("apigateway", "GetApi", "GetApis", "GetStage", "GetStages")
async def http_api_tags(call: Call, backends: Backends, answer: Answer) -> None:
    """ministack answers the tags that an API or a stage was made with; AWS those that it has now."""
    value = answer.json
    for item in [value, *value.get("items", [])]:
        path = f"/apis/{item['apiId']}" if "apiId" in item else "/".join(["", *call.segments[1:4]])
        if "stageName" in item:
            path = f"{path}/{item['stageName']}"
        elif "apiId" not in item:
            continue
        arn = quote(f"arn:aws:apigateway:{call.region}::{path}", safe="")
        item["tags"] = (await backends.get_json("apigateway", f"/v2/tags/{arn}")).json.get("tags", {})
    answer.replace_json(value)


@answers("apigateway", "DeleteRouteSettings", "DeleteAccessLogSettings")
async def delete_stage_settings(call: Call, backends: Backends) -> Answer | None:
    """ministack removes the whole stage; AWS only the settings."""
    if call.segments[0] != "v2":
        return None
    path = "/".join(["", *(quote(part, safe="") for part in call.segments[:5])])
    if call.action == "DeleteAccessLogSettings":
        change: JsonObject = {"accessLogSettings": None}
    else:
        stage = (await backends.get_json("apigateway", path)).json
        gone = call.segments[6]
        settings = {key: value for key, value in (stage.get("routeSettings") or {}).items() if key != gone}
        change = {"routeSettings": settings}
    changed = await backends.send(
        Call("PATCH", path, call.headers, call.service, call.region, body=json.dumps(change).encode())
    )
    return Answer(204) if changed.ok else changed


@before("apigateway", "UpdateStage")
async def stage_variables(call: Call, backends: Backends) -> None:
    """ministack replaces all variables of an HTTP API's stage; AWS merges, and an empty value removes one."""
    if call.segments[0] != "v2" or "stageVariables" not in call.json:
        return
    stage = (await backends.get_json("apigateway", call.path)).json
    merged = {**(stage.get("stageVariables") or {}), **call.json["stageVariables"]}
    wanted = {key: value for key, value in merged.items() if value != ""}
    call.replace_json({**call.json, "stageVariables": wanted})


_POOL_DEFAULTS: JsonObject = {
    "Policies": {
        "PasswordPolicy": {
            "MinimumLength": 8,
            "RequireUppercase": True,
            "RequireLowercase": True,
            "RequireNumbers": True,
            "RequireSymbols": True,
            "TemporaryPasswordValidityDays": 7,
        }
    },
    "DeletionProtection": "INACTIVE",
    "LambdaConfig": {},
    "AutoVerifiedAttributes": [],
    "SmsVerificationMessage": "",
    "EmailVerificationMessage": "",
    "EmailVerificationSubject": "",
    "VerificationMessageTemplate": {"DefaultEmailOption": "CONFIRM_WITH_CODE"},
    "SmsAuthenticationMessage": "",
    "UserAttributeUpdateSettings": {"AttributesRequireVerificationBeforeUpdate": []},
    "MfaConfiguration": "OFF",
    "EmailConfiguration": {},
    "SmsConfiguration": {},
    "UserPoolTags": {},
    "AdminCreateUserConfig": {"AllowAdminCreateUserOnly": False},
    "AccountRecoverySetting": {},
}
"""What UpdateUserPool resets where it is not named, and to what."""

_CLIENT_DEFAULTS: JsonObject = {
    "RefreshTokenValidity": 30,
    "AccessTokenValidity": None,
    "IdTokenValidity": None,
    "TokenValidityUnits": {},
    "ReadAttributes": [],
    "WriteAttributes": [],
    "ExplicitAuthFlows": [],
    "SupportedIdentityProviders": [],
    "CallbackURLs": [],
    "LogoutURLs": [],
    "DefaultRedirectURI": "",
    "AllowedOAuthFlows": [],
    "AllowedOAuthScopes": [],
    "AllowedOAuthFlowsUserPoolClient": False,
    "PreventUserExistenceErrors": "LEGACY",
}
"""What UpdateUserPoolClient resets likewise."""


@before("cognito-idp", "UpdateUserPool")
async def pool_reset(call: Call, backends: Backends) -> None:
    """ministack keeps what an update does not name; AWS sets it to its default."""
    call.replace_json({**_POOL_DEFAULTS, **call.json})


@before("cognito-idp", "UpdateUserPoolClient")
async def client_reset(call: Call, backends: Backends) -> None:
    """The same of an app client."""
    call.replace_json({**_CLIENT_DEFAULTS, **call.json})


@answers("lambda", "DeleteFunction")
async def interfaces_of_a_deleted_function(call: Call, backends: Backends) -> Answer | None:
    """ministack's functions have no network interfaces; AWS keeps theirs for a while (see moto_server.py)."""
    name = call.segments[2]
    found = await backends.get_json("lambda", f"/2015-03-31/functions/{quote(name, safe='')}/configuration")
    network = found.json.get("VpcConfig") or {}
    answer = await backends.send(call)
    if answer.ok and not call.query.get("Qualifier"):
        groups = {
            f"SecurityGroupId.{number}": group
            for number, group in enumerate(network.get("SecurityGroupIds") or [], 1)
        }
        described = {"Description": f"AWS Lambda VPC ENI-{found.json.get('FunctionName')}-{uuid.uuid4()}"}
        for subnet in network.get("SubnetIds") or []:
            await backends.query("ec2", "CreateNetworkInterface", {"SubnetId": subnet, **groups, **described})
    return answer


@after("lambda", "CreateFunction", "GetFunction", "GetFunctionConfiguration", "ListFunctions")
@after("lambda", "UpdateFunctionCode", "UpdateFunctionConfiguration")
async def vpc_of_a_function(call: Call, backends: Backends, answer: Answer) -> None:
    """ministack does not know moto's subnets, and answers an empty VpcId; AWS the subnets' VPC."""
    value = answer.json
    for function in [value, value.get("Configuration", {}), *value.get("Functions", [])]:
        network = function.get("VpcConfig") or {}
        if network.get("SubnetIds"):
            asked = {"Filter.1.Name": "subnet-id", "Filter.1.Value.1": network["SubnetIds"][0]}
            subnets = await backends.query("ec2", "DescribeSubnets", asked)
            network["VpcId"] = subnets.findtext(".//vpcId") or ""
            answer.replace_json(value)


_MOTO_TYPES = {"natgateway": "nat-gateway", "elastic-ip": "vpc-elastic-ip"}
"""What EC2 calls a type of resource in tags → what moto does."""


@before("ec2", "DescribeTags")
async def tag_types_asked(call: Call, backends: Backends) -> None:
    """moto has names of its own for two types of resources; a filter by EC2's name finds nothing."""
    call.replace_form([(key, _MOTO_TYPES.get(value, value)) for key, value in call.form])


@after("ec2", "DescribeTags")
async def tag_types_answered(call: Call, backends: Backends, answer: Answer) -> None:
    """moto answers its own names; a module that compares EC2's would report a change in every run."""
    for real, moto in _MOTO_TYPES.items():
        answer.body = answer.body.replace(
            f"<resourceType>{moto}</resourceType>".encode(), f"<resourceType>{real}</resourceType>".encode()
        )
