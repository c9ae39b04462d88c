"""Which IAM permissions a call needs: actions, what they are about, and what conditions may ask of it.

Names are those of the Service Authorization Reference. Whether an action is about a kind of ARN is the
judge's knowledge: it drops ARNs of other kinds, so more may be named here than count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, urlsplit
from xml.etree import ElementTree

from local_cloud.router.calls import Call
from local_cloud.router.operations import as_read

Context = dict[str, str | list[str]]


@dataclass(frozen=True)
class Need:
    """One action on some resources, all of which must be allowed."""

    action: str
    resources: tuple[str, ...]
    context: Context = field(default_factory=dict)


FREE = frozenset({"sts:GetCallerIdentity", "sts:GetSessionToken"})
"""Calls that need no permission: those of AWS's documents, which an identity always has."""


def needs(call: Call, account: str) -> list[Need]:
    """Return what a call needs; an action or a resource that nobody knows is found out by the evaluator."""
    make = _SERVICES.get(call.service, _other)
    call = as_read(call)
    tags = _request_tags(call)
    return [Need(one.action, one.resources, {**tags, **one.context}) for one in make(call, account)]


def arns(call: Call, account: str, service: str, *names: str) -> tuple[str, ...]:
    """Return ARNs of this account and the call's region; a name that is an ARN stands as it is."""
    place = f"arn:aws:{service}:{'' if service == 'iam' else call.region}:{account}:"
    return tuple(name if name.startswith("arn:") else place + name for name in names)


_VIEWS_BUDGETS = (
    "DescribeBudget",
    "DescribeBudgetNotificationsForAccount",
    "DescribeBudgetPerformanceHistory",
    "DescribeBudgets",
    "DescribeNotificationsForBudget",
    "DescribeSubscribersForNotification",
)
_MODIFIES_BUDGETS = (
    *("CreateBudget", "DeleteBudget", "UpdateBudget"),
    *("CreateNotification", "DeleteNotification", "UpdateNotification"),
    *("CreateSubscriber", "DeleteSubscriber", "UpdateSubscriber"),
)
NAMES = {
    "budgets": {
        **dict.fromkeys(_VIEWS_BUDGETS, "ViewBudget"),
        **dict.fromkeys(_MODIFIES_BUDGETS, "ModifyBudget"),
    },
    "lambda": {
        "GetLayerVersionByArn": "GetLayerVersion",
        "Invoke": "InvokeFunction",
        "InvokeWithResponseStream": "InvokeFunction",
    },
    "sns": {"PublishBatch": "Publish"},
    "sqs": {
        "ChangeMessageVisibilityBatch": "ChangeMessageVisibility",
        "DeleteMessageBatch": "DeleteMessage",
        "SendMessageBatch": "SendMessage",
    },
    "s3": {
        "HeadBucket": "ListBucket",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "ListMultipartUploads": "ListBucketMultipartUploads",
        "ListParts": "ListMultipartUploadParts",
        "ListBuckets": "ListAllMyBuckets",
        "HeadObject": "GetObject",
        "CreateMultipartUpload": "PutObject",
        "UploadPart": "PutObject",
        "UploadPartCopy": "PutObject",
        "SelectObjectContent": "GetObject",
        "CompleteMultipartUpload": "PutObject",
        "CopyObject": "PutObject",
        "DeleteObjects": "DeleteObject",
        "GetBucketCors": "GetBucketCORS",
        "PutBucketCors": "PutBucketCORS",
        "DeleteBucketCors": "PutBucketCORS",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "GetBucketLifecycle": "GetLifecycleConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "PutBucketLifecycle": "PutLifecycleConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
        "DeleteBucketTagging": "PutBucketTagging",
        "GetBucketNotificationConfiguration": "GetBucketNotification",
        "PutBucketNotificationConfiguration": "PutBucketNotification",
        "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
        "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
        "GetBucketReplication": "GetReplicationConfiguration",
        "PutBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
        **{
            f"{verb}Bucket{kind}Configuration{plural}": f"{right}{kind}Configuration"
            for kind in ("Analytics", "IntelligentTiering", "Inventory", "Metrics")
            for verb, plural, right in (
                ("Get", "", "Get"),
                ("List", "s", "Get"),
                ("Put", "", "Put"),
                ("Delete", "", "Put"),
            )
        },
    },
}
"""Service → operation → the action that allows it, where the two names differ."""


def _action(call: Call) -> str:
    return NAMES.get(call.service, {}).get(call.action, call.action)


# S3


def _s3(call: Call, account: str) -> Iterator[Need]:
    bucket, key = call.segments[0], "/".join(call.segments[1:])
    resource = f"arn:aws:s3:::{bucket}/{key}" if key else f"arn:aws:s3:::{bucket}"
    name = _action(call)
    query = {key: values[0] for key, values in call.query.items()}
    if name == "DeleteObject" and not key:
        listed = ElementTree.fromstring(call.body or b"<x/>")  # noqa: S314 - a client of this computer
        for item in listed.iterfind(".//{*}Object"):
            version = "Version" if item.findtext("{*}VersionId") else ""
            yield Need(f"s3:DeleteObject{version}", (f"{resource}/{item.findtext('{*}Key')}",))
        return
    if "versionId" in query and name in {"GetObject", "DeleteObject"}:
        name += "Version"
    context: Context = {f"s3:{one}": query[one] for one in ("prefix", "delimiter") if one in query}
    if not bucket:
        yield Need(f"s3:{name}", ("*",), context)
        return
    yield Need(f"s3:{name}", (resource,), context)
    if name == "PutObject" and "x-amz-acl" in call.headers:
        yield Need("s3:PutObjectAcl", (resource,), {"s3:x-amz-acl": call.headers["x-amz-acl"]})
    source = call.headers.get("x-amz-copy-source", "")
    if source:
        yield Need("s3:GetObject", (f"arn:aws:s3:::{unquote(source.partition('?')[0]).lstrip('/')}",))


# EC2 and IAM

_EC2_IDS = {
    "i": "instance",
    "igw": "internet-gateway",
    "nat": "natgateway",
    "rtb": "route-table",
    "sg": "security-group",
    "subnet": "subnet",
    "vpc": "vpc",
    "vpce": "vpc-endpoint",
    "fl": "vpc-flow-log",
    "eni": "network-interface",
    "eipalloc": "elastic-ip",
    "vol": "volume",
    "snap": "snapshot",
    "sgr": "security-group-rule",
    "pl": "prefix-list",
}
"""What an id begins with → what its ARN calls it."""

_EC2_NEW = {
    "AllocateAddress": ("elastic-ip",),
    "CreateFlowLogs": ("vpc-flow-log",),
    "CreateInternetGateway": ("internet-gateway",),
    "CreateNatGateway": ("natgateway",),
    "CreateNetworkInterface": ("network-interface",),
    "CreateRouteTable": ("route-table",),
    "CreateSecurityGroup": ("security-group",),
    "CreateSnapshot": ("snapshot",),
    "CreateSubnet": ("subnet",),
    "CreateVolume": ("volume",),
    "CreateVpc": ("vpc",),
    "CreateVpcEndpoint": ("vpc-endpoint",),
    "RunInstances": ("instance", "network-interface", "volume"),
}
"""What a call makes: it is about these too, and their ids are not known yet."""

_EC2_ID = re.compile(r"([a-z]+)-[0-9a-f]{8,}")


def _ec2(call: Call, account: str) -> Iterator[Need]:
    named = [value for key, value in call.form if "Filter." not in key and "UserData" not in key]
    found = [_ec2_arn(call, account, value) for value in named]
    new = _EC2_NEW.get(call.action, ())
    made = arns(call, account, "ec2", *(f"{kind}/new" for kind in new))
    association = call.param("AssociationId") if "IamInstanceProfile" in call.action else ""
    # the router takes the association's instance in its place
    about = (f"profile-of/{association}",) if association else (*filter(None, found), *made, "*")
    yield Need(f"ec2:{call.action}", about)
    if call.params("TagSpecification") and call.action != "CreateTags":
        yield Need("ec2:CreateTags", made, {"ec2:CreateAction": call.action})
    if call.action in {"CreateFlowLogs", "DeleteFlowLogs"}:
        # VPC User Guide, "Publish flow logs to Amazon S3": the log's delivery is a right of its own
        yield Need(f"logs:{call.action.removesuffix('FlowLogs')}LogDelivery", ("*",))
    profile = call.param("IamInstanceProfile.Name") or call.param("IamInstanceProfile.Arn").rpartition("/")[2]
    if profile:
        # the router takes the profile's role in its place
        yield Need("iam:PassRole", (f"instance-profile/{profile}",), _passed_to("ec2"))


def _ec2_arn(call: Call, account: str, value: str) -> str:
    if value.startswith("ami-"):
        return f"arn:aws:ec2:{call.region}::image/{value}"
    matched = _EC2_ID.fullmatch(value)
    kind = _EC2_IDS.get(matched.group(1)) if matched else None
    return arns(call, account, "ec2", f"{kind}/{value}")[0] if kind else ""


def _passed_to(service: str) -> Context:
    return {"iam:PassedToService": f"{service}.amazonaws.com"}


def _iam(call: Call, account: str) -> Iterator[Need]:
    kinds = {
        "RoleName": "role",
        "InstanceProfileName": "instance-profile",
        "UserName": "user",
        "PolicyName": "policy",
    }
    named = [
        f"{kind}/{call.param(name)}"
        for name, kind in kinds.items()
        if call.param(name) and (kind != "policy" or call.action == "CreatePolicy")
    ]
    policy = call.param("PolicyArn")
    about = named or ([policy] if policy else [])
    context: Context = {"iam:PolicyARN": policy} if policy else {}
    if call.param("PermissionsBoundary"):
        context["iam:PermissionsBoundary"] = call.param("PermissionsBoundary")
    yield Need(f"iam:{call.action}", (*arns(call, account, "iam", *about), "*"), context)
    if call.action == "AddRoleToInstanceProfile":
        role = arns(call, account, "iam", f"role/{call.param('RoleName')}")
        yield Need("iam:PassRole", role, _passed_to("ec2"))


# REST services


def _lambda(call: Call, account: str) -> Iterator[Need]:
    segments = call.segments
    # /2015-03-31/functions/NAME/… and /2017-03-31/tags/ARN
    name = "".join(segments[2:3]) or str(call.json.get("FunctionName", ""))
    about = (
        arns(call, account, "lambda", name if name.startswith("arn:") else f"function:{name}")
        if name
        else ("*",)
    )
    yield Need(f"lambda:{_action(call)}", about)
    role = call.json.get("Role") if call.action in {"CreateFunction", "UpdateFunctionConfiguration"} else None
    if role:
        yield Need("iam:PassRole", (str(role),), _passed_to("lambda"))


def _apigateway(call: Call, account: str) -> Iterator[Need]:
    path = urlsplit(call.path).path.removeprefix("/v2")
    yield Need(f"apigateway:{call.method}", (f"arn:aws:apigateway:{call.region}::{path}",))


# JSON services


def _events(call: Call, account: str) -> Iterator[Need]:
    name = call.json.get("Rule") or (call.json.get("Name") if "Rule" in call.action else "")
    about = str(call.json.get("ResourceARN") or (f"rule/{name}" if name else "*"))
    yield Need(f"events:{call.action}", ("*",) if about == "*" else arns(call, account, "events", about))
    for role in [call.json.get("RoleArn"), *(one.get("RoleArn") for one in call.json.get("Targets") or [])]:
        if role and call.action in {"PutRule", "PutTargets"}:
            yield Need("iam:PassRole", (str(role),), _passed_to("events"))


def _logs(call: Call, account: str) -> Iterator[Need]:
    body = call.json
    group = str(body.get("logGroupName") or body.get("logGroupIdentifier") or body.get("resourceArn") or "*")
    name = group if group.startswith("arn:") else f"log-group:{group}"
    [log_group] = arns(call, account, "logs", name)
    stream = f"{log_group.removesuffix(':*')}:log-stream:{body.get('logStreamName', '*')}"
    yield Need(f"logs:{call.action}", (log_group, stream, "*"))


def _sqs(call: Call, account: str) -> Iterator[Need]:
    named = {**dict(call.form), **call.json}
    name = str(named.get("QueueName") or named.get("QueueUrl") or "*").rpartition("/")[2]
    yield Need(f"sqs:{_action(call)}", arns(call, account, "sqs", name))
    if call.action == "CreateQueue" and _request_tags(call):
        yield Need("sqs:TagQueue", arns(call, account, "sqs", name))


def _ssm(call: Call, account: str) -> Iterator[Need]:
    body, action = call.json, call.action
    context: Context = {}
    if action == "StartSession":
        document = str(body.get("DocumentName") or "SSM-SessionManagerRunShell")
        context["ssm:SessionDocumentAccessCheck"] = "true" if "DocumentName" in body else "false"
        about = [
            *arns(call, account, "ec2", f"instance/{body.get('Target', '')}"),
            _document(call, account, document),
        ]
        if context["ssm:SessionDocumentAccessCheck"] == "false":
            about.pop()
    elif "Session" in action and "SessionId" in body:
        about = [*arns(call, account, "ssm", f"session/{body['SessionId']}")]
    elif "Document" in action and "Name" in body:
        about = [_document(call, account, str(body["Name"]))]
    elif body.get("ResourceType") == "Document":
        about = [_document(call, account, str(body.get("ResourceId", "")))]
    else:
        names = body.get("Names") or [body.get("Name") or body.get("ResourceId") or body.get("Path") or ""]
        about = [*arns(call, account, "ssm", *(f"parameter/{str(one).lstrip('/')}" for one in names if one))]
    for one in about or ["*"]:
        yield Need(f"ssm:{action}", (one,), context)


def _document(call: Call, account: str, name: str) -> str:
    owner = "" if name.startswith("AWS-") else account
    return f"arn:aws:ssm:{call.region}:{owner}:document/{name}"


def _cognito(call: Call, account: str) -> Iterator[Need]:
    body = call.json
    pool = str(body.get("ResourceArn") or (f"userpool/{body['UserPoolId']}" if "UserPoolId" in body else "*"))
    yield Need(
        f"cognito-idp:{call.action}", arns(call, account, "cognito-idp", pool) if pool != "*" else ("*",)
    )
    if call.action == "CreateUserPool" and body.get("UserPoolTags"):
        yield Need("cognito-idp:TagResource", arns(call, account, "cognito-idp", "userpool/new"))


def _other(call: Call, account: str) -> Iterator[Need]:
    """A service without a function of its own: what the call is about are the ARNs that it names."""
    services = {"monitoring": "cloudwatch", "email": "ses"}
    values = [value for _, value in call.form] or [str(one) for one in call.json.values()]
    found = [value for value in values if value.startswith("arn:aws:")]
    if "BudgetName" in call.json:
        found.append(f"arn:aws:budgets::{account}:budget/{call.json['BudgetName']}")
    yield Need(f"{services.get(call.service, call.service)}:{_action(call)}", (*found, "*"))


_SERVICES: dict[str, Callable[[Call, str], Iterator[Need]]] = {
    "s3": _s3,
    "ec2": _ec2,
    "iam": _iam,
    "lambda": _lambda,
    "apigateway": _apigateway,
    "cognito-idp": _cognito,
    "events": _events,
    "logs": _logs,
    "sqs": _sqs,
    "ssm": _ssm,
}


def _request_tags(call: Call) -> Context:
    """Return ``aws:RequestTag/…`` and ``aws:TagKeys`` of the tags that a call sends."""
    tags = _json_tags(call.json) or _form_tags(call.form)
    if not tags:
        return {}
    return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, "aws:TagKeys": sorted(tags)}


def _json_tags(body: dict[str, Any]) -> dict[str, str]:
    tags = body.get("Tags") or body.get("tags") or {}
    if isinstance(tags, dict):
        return {str(key): str(value) for key, value in tags.items()}
    pairs = [{key.lower(): value for key, value in one.items()} for one in tags if isinstance(one, dict)]
    return {str(one["key"]): str(one.get("value", "")) for one in pairs if "key" in one}


_TAG = re.compile(r"(.*\bTags?\.(?:member\.)?\d+)\.(Key|Value)")


def _form_tags(form: list[tuple[str, str]]) -> dict[str, str]:
    parts: dict[str, dict[str, str]] = {}
    for name, value in form:
        matched = _TAG.fullmatch(name)
        if matched:
            parts.setdefault(matched.group(1), {})[matched.group(2)] = value
    return {one["Key"]: one.get("Value", "") for one in parts.values() if "Key" in one}
