"""Calls that AWS refuses and the emulators accept."""

from __future__ import annotations

import re
from collections.abc import Iterable
from fnmatch import fnmatchcase
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from local_cloud.router.backends import Backends
from local_cloud.router.calls import Answer, Call, JsonObject, refuse
from local_cloud.router.hooks import answers, before
from local_cloud.router.identities import Policy, identities, listed

RESERVED_ENVIRONMENT = frozenset(
    {
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SECRET_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
    }
)
"""Environment keys that Lambda reserves, as listed in its developer guide."""

_INVALID = "InvalidParameterValueException"


@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def reserved_environment(call: Call, backends: Backends) -> None:
    """Refuse an environment with reserved or malformed keys."""
    environment = (call.json.get("Environment") or {}).get("Variables") or {}
    reserved = sorted(RESERVED_ENVIRONMENT & set(environment))
    if reserved:
        refuse(
            _INVALID,
            "Lambda was unable to configure your environment variables because the environment "
            "variables you have provided contains reserved keys that are currently not "
            f"supported for modification. Reserved keys used in this request: {', '.join(reserved)}",
        )
    wrong = sorted(key for key in environment if not re.fullmatch(r"[a-zA-Z]\w+", key))
    if wrong:
        refuse(
            "ValidationException",
            f"environment key '{wrong[0]}' must start with a letter and hold at least two "
            "letters, digits or underscores",
        )


@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def existing_role(call: Call, backends: Backends) -> None:
    """Refuse a role that IAM does not have, or that Lambda may not assume."""
    arn = call.json.get("Role")
    if not arn:
        return
    name = str(arn).rpartition("/")[2]
    try:
        role = await backends.query("iam", "GetRole", {"RoleName": name})
    except LookupError:
        refuse(_INVALID, f"The role defined for the function ({arn}) does not exist")
    trust = role.findtext(".//AssumeRolePolicyDocument") or ""
    if role.findtext(".//Role/Arn") != arn or "lambda.amazonaws.com" not in trust:
        refuse(_INVALID, "The role defined for the function cannot be assumed by Lambda.")


@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def existing_network(call: Call, backends: Backends) -> None:
    """Refuse subnets and security groups that EC2 does not have."""
    network = call.json.get("VpcConfig") or {}
    wanted = (
        ("DescribeSubnets", "SubnetId", "subnet", network.get("SubnetIds") or []),
        ("DescribeSecurityGroups", "GroupId", "security group", network.get("SecurityGroupIds")),
    )
    for action, parameter, thing, ids in wanted:
        for one in ids or []:
            try:
                await backends.query("ec2", action, {f"{parameter}.1": str(one)})
            except LookupError as error:
                refuse(_INVALID, f"Error occurred while DescribeVpc: {thing} {one} ({error})")
    if bool(network.get("SubnetIds")) != bool(network.get("SecurityGroupIds")):
        refuse(_INVALID, "SubnetIds and SecurityIds must coexist or be both empty list.")


NETWORK_ACTIONS = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What the role of a function in a VPC needs, as Lambda's developer guide lists it."""


def allows_everywhere(policies: Iterable[Policy], action: str) -> bool:
    """Whether policies allow an action on every resource without a condition, and none denies it so."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in listed(policy.get("Statement", []))
        if not statement.get("Condition")
        and "*" in listed(statement.get("Resource", []))
        and any(fnmatchcase(action.lower(), one.lower()) for one in listed(statement.get("Action", [])))
    }
    return effects == {"Allow"}


@before("lambda", "CreateFunction", "UpdateFunctionConfiguration")
async def network_interfaces(call: Call, backends: Backends) -> None:
    """Refuse a VPC to a role that may not make network interfaces in it."""
    if not (call.json.get("VpcConfig") or {}).get("SubnetIds"):
        return
    role = call.json.get("Role")
    if not role:
        function = await backends.get_json("lambda", urlsplit(call.path).path)
        role = function.json.get("Role", "")
    identity = (await identities(backends)).get(str(role))
    policies = identity.policies.values() if identity else ()
    bounds = [[identity.boundary[1]]] if identity and identity.boundary else []
    for action in NETWORK_ACTIONS:
        if not all(allows_everywhere(one, action) for one in (policies, *bounds)):
            refuse(
                _INVALID,
                "The provided execution role does not have permissions to call "
                f"{action.partition(':')[2]} on EC2",
            )


SENDS = {"sqs": "SendMessage", "sns": "Publish", "lambda": "InvokeFunction", "events": "PutEvents"}
"""Service of a destination of asynchronous calls → what the function's role does there."""


def allows(policies: Iterable[Policy], action: str, resource: str) -> bool:
    """Whether policies allow an action on a resource; conditions are taken to be met."""
    effects = {
        statement["Effect"]
        for policy in policies
        for statement in listed(policy.get("Statement", []))
        if any(fnmatchcase(action.lower(), one.lower()) for one in listed(statement.get("Action", [])))
        and any(fnmatchcase(resource, one) for one in listed(statement.get("Resource", [])))
    }
    return effects == {"Allow"}


@before("lambda", "PutFunctionEventInvokeConfig", "UpdateFunctionEventInvokeConfig")
async def destinations(call: Call, backends: Backends) -> None:
    """Refuse a destination that the function's role may not send to."""
    wanted = [
        str((one or {}).get("Destination") or "")
        for one in (call.json.get("DestinationConfig") or {}).values()
    ]
    path = urlsplit(call.path).path.rpartition("/")[0].replace("/2019-09-25/", "/2015-03-31/")
    role = (await backends.get_json("lambda", f"{path}/configuration")).json.get("Role", "")
    identity = (await identities(backends)).get(str(role))
    policies = identity.policies.values() if identity else ()
    bounds = [[identity.boundary[1]]] if identity and identity.boundary else []
    for arn in filter(None, wanted):
        service = arn.split(":")[2]
        action = SENDS.get(service, "")
        if not all(allows(one, f"{service}:{action}", arn) for one in (policies, *bounds)):
            refuse(
                _INVALID,
                f"The function's execution role does not have permissions to call {action} on {arn}",
            )


KEPT_UNRESERVED = 100
"""Simultaneous calls that Lambda keeps for functions without a reservation."""


@before("lambda", "PutFunctionConcurrency")
async def unreserved_concurrency(call: Call, backends: Backends) -> None:
    """Refuse a reservation that leaves less than Lambda keeps for all other functions."""
    path = urlsplit(call.path).path.replace("/2017-10-31/", "/2019-09-30/")
    now = (await backends.get_json("lambda", path)).json.get("ReservedConcurrentExecutions") or 0
    limits = (await backends.get_json("lambda", "/2016-08-19/account-settings/")).json["AccountLimit"]
    kept = min(KEPT_UNRESERVED, limits["ConcurrentExecutions"])
    wanted = call.json.get("ReservedConcurrentExecutions") or 0
    if limits["UnreservedConcurrentExecutions"] + now - wanted < kept:
        refuse(
            _INVALID,
            "Specified ReservedConcurrentExecutions for function decreases account's "
            f"UnreservedConcurrentExecution below its minimum value of [{kept}].",
        )


@before("iam", "CreateRole", "PutRolePermissionsBoundary")
async def existing_boundary(call: Call, backends: Backends) -> None:
    """Refuse a boundary that is no policy of the account or of AWS."""
    arn = call.param("PermissionsBoundary")
    if not arn:
        return
    try:
        await backends.query("iam", "GetPolicy", {"PolicyArn": arn})
    except LookupError:
        refuse("NoSuchEntity", f"Scope ARN: {arn} does not exist or is not attachable.", 404)


LOG_DELIVERY = "delivery.logs.amazonaws.com"
"""The service that writes flow logs into buckets."""


async def _policy_of_bucket(bucket: str, backends: Backends) -> Policy | None:
    """Return a bucket's policy, empty where it has none; None where there is no such bucket."""
    answer = await backends.get_json("s3", f"/{quote(bucket)}?policy")
    if b"NoSuchBucket<" in answer.body:
        return None
    return answer.json if answer.ok else {}


def admits(policy: Policy, service: str, action: str, resource: str) -> bool:
    """Whether a bucket's policy lets a service of AWS do this; conditions are taken to be met."""
    statements = [
        {**one, "Resource": one.get("Resource", "*")}
        for one in listed(policy.get("Statement", []))
        if isinstance(one.get("Principal"), dict) and service in listed(one["Principal"].get("Service", []))
    ]
    return allows([{"Statement": statements}], action, resource)


@answers("ec2", "CreateFlowLogs")
async def flow_log_destination(call: Call, backends: Backends) -> Answer | None:
    """Refuse a bucket that is not there, or whose policy does not let AWS deliver logs.

    EC2 says so in an answer with the status 200. (To a caller who may change the policy it would add the
    statements itself, and so change what a playbook has set.)
    """
    if call.param("LogDestinationType") != "s3":
        return None
    place = call.param("LogDestination").partition(":::")[2]
    bucket, _, prefix = place.partition("/")
    policy = await _policy_of_bucket(bucket, backends)
    account = backends.settings.account_id
    keys = "/".join(filter(None, (bucket, prefix.strip("/"), "AWSLogs", account, "x")))
    if policy is None:
        message = f"LogDestination: {bucket} does not exist."
    elif not admits(policy, LOG_DELIVERY, "s3:PutObject", f"arn:aws:s3:::{keys}") or not admits(
        policy, LOG_DELIVERY, "s3:GetBucketAcl", f"arn:aws:s3:::{bucket}"
    ):
        message = f"Access Denied for LogDestination: {bucket}. Please check LogDestination permission"
    else:
        return None
    items = "".join(
        f"<item><error><code>400</code><message>{escape(message)}</message></error>"
        f"<resourceId>{escape(one)}</resourceId></item>"
        for one in call.params("ResourceId.")
    )
    body = f"<flowLogIdSet/><unsuccessful>{items}</unsuccessful>"
    body = f"<CreateFlowLogsResponse>{body}</CreateFlowLogsResponse>"
    return Answer(200, body.encode(), {"Content-Type": "application/xml"})


@before("s3", "PutBucketLogging")
async def access_log_target(call: Call, backends: Backends) -> None:
    """Refuse an access log into a bucket that is not there."""
    status = ElementTree.fromstring(call.body or b"<x/>")  # noqa: S314 - a client of this computer
    target = status.findtext(".//{*}TargetBucket")
    if target and await _policy_of_bucket(target, backends) is None:
        refuse("InvalidTargetBucketForLogging", "The target bucket for logging does not exist")


def _foreign(call: Call, backends: Backends) -> bool:
    bucket = call.segments[0]
    return any(fnmatchcase(bucket, one) for one in backends.settings.foreign_buckets)


@before("s3", "CreateBucket")
async def foreign_bucket(call: Call, backends: Backends) -> None:
    """Refuse to create a bucket with a name that belongs to another account."""
    if _foreign(call, backends):
        refuse(
            "BucketAlreadyExists",
            "The requested bucket name is not available. The bucket namespace is shared by all "
            "users of the system. Please select a different name and try again.",
            409,
        )


@before("s3", "CreateBucket")
async def account_regional_namespace(call: Call, backends: Backends) -> None:
    """Refuse names that end with -an outside the account regional namespace, and all others inside it."""
    bucket, namespace = call.segments[0], call.headers.get("x-amz-bucket-namespace", "global")
    if namespace not in ("global", "account-regional"):
        refuse("InvalidRequest", f"the bucket namespace {namespace} is neither global nor account-regional")
    if namespace == "global" and bucket.endswith("-an"):
        refuse(
            "MissingNamespaceHeader", f"{bucket} needs the header x-amz-bucket-namespace: account-regional"
        )
    suffix = f"-{backends.settings.account_id}-{call.region}-an"
    if namespace == "account-regional" and bucket.removesuffix(suffix) in ("", bucket):
        refuse(
            "InvalidBucketNamespace", f"{bucket} does not end with {suffix}, account and region of the call."
        )


@before(
    "s3",
    *("HeadBucket", "ListObjects", "ListObjectsV2", "GetBucketLocation", "GetBucketVersioning"),
    *("GetBucketTagging", "GetBucketPolicy", "GetBucketEncryption", "GetPublicAccessBlock"),
    *("GetBucketCors", "GetBucketLifecycleConfiguration", "GetBucketOwnershipControls"),
    *("GetBucketAcl", "DeleteBucket"),
)
async def foreign_bucket_closed(call: Call, backends: Backends) -> None:
    """Refuse to read or delete a bucket of another account."""
    if _foreign(call, backends):
        refuse("AccessDenied", "Access Denied", 403)


COGNITO = "InvalidParameterException"
RESERVED_IN_DOMAINS = ("aws", "amazon", "cognito")
_SECONDS = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}
_TOKENS = {
    # a token: its default unit, its default, least and most seconds
    "AccessToken": ("hours", 3600, 300, 86400),
    "IdToken": ("hours", 3600, 300, 86400),
    "RefreshToken": ("days", 30 * 86400, 3600, 3650 * 86400),
}


@before("cognito-idp", "DeleteUserPool")
async def deletable_pool(call: Call, backends: Backends) -> None:
    """Refuse to delete a pool that is protected, or has a domain."""
    asked = call.of("DescribeUserPool", {"UserPoolId": call.json.get("UserPoolId")})
    pool = (await backends.send(asked)).json.get("UserPool") or {}
    if pool.get("DeletionProtection") == "ACTIVE":
        refuse(
            COGNITO,
            "The user pool cannot be deleted because deletion protection is activated. "
            "Deletion protection must be inactivated first.",
        )
    if pool.get("Domain") or pool.get("CustomDomain"):
        refuse(
            COGNITO,
            "User pool cannot be deleted. It has a domain configured that should be deleted first.",
        )


@before("cognito-idp", "CreateUserPool", "UpdateUserPool")
async def pool_settings(call: Call, backends: Backends) -> None:
    """Refuse settings that exclude each other, and a recovery through what nobody verifies."""
    body = call.json
    policy = (body.get("Policies") or {}).get("PasswordPolicy") or {}
    length = policy.get("MinimumLength", 8)
    if not 6 <= length <= 99:
        refuse(COGNITO, f"Value {length} at 'policies.passwordPolicy.minimumLength' is not from 6 to 99")
    invited = body.get("AdminCreateUserConfig") or {}
    if "UnusedAccountValidityDays" in invited and "TemporaryPasswordValidityDays" in policy:
        refuse(
            COGNITO,
            "Please use TemporaryPasswordValidityDays in PasswordPolicy instead of UnusedAccountValidityDays",
        )
    kept = (body.get("UserAttributeUpdateSettings") or {}).get("AttributesRequireVerificationBeforeUpdate")
    if set(kept or ()) - set(body.get("AutoVerifiedAttributes") or ()):
        refuse(
            COGNITO,
            "AttributesRequireVerificationBeforeUpdate can only include attributes of AutoVerifiedAttributes",
        )
    if body.get("UsernameAttributes") and body.get("AliasAttributes"):
        refuse(COGNITO, "Only one of the aliasAttributes or usernameAttributes can be set in a user pool.")


@before("cognito-idp", "CreateUserPoolDomain")
async def reserved_domain(call: Call, backends: Backends) -> None:
    """Refuse a prefix with a reserved word, or that is no label of a host name."""
    domain = str(call.json.get("Domain") or "")
    word = next((one for one in RESERVED_IN_DOMAINS if one in domain), "")
    if word and not call.json.get("CustomDomainConfig"):
        refuse(COGNITO, f"Domain cannot contain reserved word: {word}")
    if not call.json.get("CustomDomainConfig") and not re.fullmatch(
        r"[a-z0-9](?:[a-z0-9\-]{0,61}[a-z0-9])?", domain
    ):
        refuse(COGNITO, "The domain name contains an invalid character.")


@before("cognito-idp", "CreateUserPoolClient", "UpdateUserPoolClient")
async def client_settings(call: Call, backends: Backends) -> None:
    """Refuse tokens longer or shorter than Cognito's, mixed flows, and hosted pages without an address."""
    body = call.json
    valid = {token: _token_seconds(body, token) for token in _TOKENS}
    for token, (_, _, least, most) in _TOKENS.items():
        if not least <= valid[token] <= most:
            refuse(COGNITO, f"Invalid range for token validity. ({token})")
    if max(valid["AccessToken"], valid["IdToken"]) > valid["RefreshToken"]:
        refuse(COGNITO, "Invalid range for token validity. (a refresh token ends before the other tokens)")
    flows = set(body.get("ExplicitAuthFlows") or ())
    legacy = {one for one in flows if not one.startswith("ALLOW_")}
    if legacy and flows - legacy:
        refuse(
            COGNITO,
            f"Cannot mix {sorted(flows - legacy)[0]} and {sorted(legacy)[0]}: flows with the prefix ALLOW_ "
            "exclude those without it.",
        )
    rotation = (body.get("RefreshTokenRotation") or {}).get("Feature")
    if rotation == "ENABLED" and "ALLOW_REFRESH_TOKEN_AUTH" in flows:
        refuse(COGNITO, "ALLOW_REFRESH_TOKEN_AUTH is not supported with refresh token rotation.")
    addresses = [*(body.get("CallbackURLs") or ()), *(body.get("LogoutURLs") or ())]
    for url in addresses:
        parts = urlsplit(str(url))
        if parts.scheme == "http" and parts.hostname != "localhost":
            refuse(COGNITO, f"{url} is not allowed: http is for localhost alone.")
        if parts.fragment or not parts.scheme:
            refuse(COGNITO, f"{url} is no address without a fragment.")
    grants = set(body.get("AllowedOAuthFlows") or ())
    if body.get("AllowedOAuthFlowsUserPoolClient") and not (grants and body.get("AllowedOAuthScopes")):
        refuse("InvalidOAuthFlowException", "AllowedOAuthFlows and AllowedOAuthScopes are required.")
    if grants & {"code", "implicit"} and not body.get("CallbackURLs"):
        refuse("InvalidOAuthFlowException", "A callback URL is needed for the grants code and implicit.")
    redirect = body.get("DefaultRedirectURI")
    if redirect and redirect not in (body.get("CallbackURLs") or ()):
        refuse(COGNITO, "DefaultRedirectURI is not one of CallbackURLs.")


def _token_seconds(body: JsonObject, token: str) -> float:
    unit, default, _, _ = _TOKENS[token]
    value = body.get(f"{token}Validity")
    chosen = (body.get("TokenValidityUnits") or {}).get(token) or unit
    return float(value * _SECONDS[chosen] if value else default)
