"""IAM, enforced: who calls, what the call needs, and whether the policies allow it.

The judge is a program of others (see local_cloud/iam_simulate), a process of its own that lives as long as
the router. What cannot be judged passes and is listed: ``python -m local_cloud unjudged``.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable
from fnmatch import fnmatchcase
from functools import partial
from typing import Any
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from local_cloud.credentials import DEPLOYER_KEY, FUNCTION, INSTANCE, ROOT_KEY
from local_cloud.router import sessions
from local_cloud.router.backends import Backends, parse, signature
from local_cloud.router.calls import Answer, Call, Principal, refuse
from local_cloud.router.deployer import DEPLOYER, prepare_account
from local_cloud.router.evaluator import Evaluator, Verdict
from local_cloud.router.hooks import answers
from local_cloud.router.identities import Identity, Policy, identities, listed
from local_cloud.router.instances import instances
from local_cloud.router.operations import changes, operation_of
from local_cloud.router.permissions import FREE, Context, Need, needs

ANONYMOUS = "Anonymous"

_MOST_KEPT = 20_000
"""Answers that are kept; every object has a name of its own."""

_KEYS = frozenset(
    key.lower()
    for key in (
        *(
            "aws:PrincipalAccount",
            "aws:PrincipalArn",
            "aws:SourceAccount",
            "aws:SourceArn",
            "aws:SourceIp",
            "aws:SourceVpc",
            "aws:SourceVpce",
            "aws:TagKeys",
        ),
        *(
            "aws:username",
            "ec2:CreateAction",
            "ec2:SourceInstanceARN",
            "iam:PassedToService",
            "iam:PermissionsBoundary",
            "iam:PolicyARN",
        ),
        *("lambda:SourceFunctionArn", "s3:delimiter", "s3:prefix", "s3:x-amz-acl"),
        *("ssm:SessionDocumentAccessCheck", "ssm:resourceTag/aws:ssmmessages:session-id"),
    )
)
"""Condition keys that are set where AWS sets them, and are not in every call."""

_TAGS_OF = {
    "": ("aws:requesttag/",),
    "ec2": ("aws:requesttag/", "aws:resourcetag/"),
    "ssm": ("aws:requesttag/", "aws:resourcetag/", "ssm:resourcetag/"),
}
"""Service → keys of tags that are set; a tag that is not there is no key."""


class Gate:
    """Lets a call pass or refuses it; keeps what it has looked up until something of IAM may have changed."""

    def __init__(self, backends: Backends, evaluator: Evaluator) -> None:
        self._backends = backends
        self._evaluator = evaluator
        self._account = backends.settings.account_id
        self._known: dict[Any, Any] = {}
        self._epoch = 0
        self._listed: set[tuple[str, str]] = set()
        self._unjudged = backends.settings.unjudged_log
        self._unjudged.parent.mkdir(parents=True, exist_ok=True)
        self._unjudged.write_text("")

    async def check(self, call: Call, client: str) -> None:
        """Refuse the call, as AWS does, unless its caller may do all that it needs."""
        if call.key == ROOT_KEY and not call.token:
            return
        principal = await self._principal(call)
        call.principal = principal
        if principal is None:
            operation = operation_of(call)
            if not operation or not operation.unsigned:
                refuse("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
            self._list(f"{call.service}:{call.action}", "the call is not signed", "")
            return
        subnet = principal.subnet or await self._subnet(client)
        for need in needs(call, self._account):
            verdict = await self.judge(principal, need, subnet, call.region)
            if verdict["result"] == "Unknown":
                self._list(need.action, verdict["reason"], need.resources[0])
            elif verdict["result"] == "Denied":
                _deny(call, principal, need, verdict)
        if (call.service, call.action) == ("ssm", "StartSession"):
            # the plugin signs the opening of its web socket with the caller's credentials
            channel = Need("ssmmessages:OpenDataChannel", ("*",))
            verdict = await self.judge(principal, channel, subnet, call.region)
            if verdict["result"] == "Denied":
                call.channel_denied = _sentence(principal, channel, verdict)

    async def judge(self, principal: Principal, need: Need, subnet: str, region: str) -> Verdict:
        """Return the verdict on one action."""
        if need.action in FREE:
            return {"result": "Allowed"}
        key = (
            principal,
            subnet,
            region,
            need.action,
            need.resources,
            json.dumps(need.context, sort_keys=True),
        )
        verdict: Verdict = await self._kept(key, partial(self._ask, principal, need, subnet, region))
        return verdict

    def concerns(self, call: Call) -> bool:
        """Whether a call may change who may do what."""
        objects = call.service == "s3" and len(call.segments) > 1 and call.segments[1]
        elsewhere = call.service in {"ssm", "logs", "execute-api"} or call.action == "Invoke"
        return not objects and not elsewhere and changes(call)

    def forget(self) -> None:
        """Look everything up anew."""
        self._epoch += 1
        self._known.clear()

    async def _kept(self, key: Any, look: Callable[[], Awaitable[Any]]) -> Any:
        if key not in self._known:
            epoch = self._epoch
            value = await look()
            if epoch != self._epoch:
                return value
            if len(self._known) >= _MOST_KEPT:
                self._known.clear()
            self._known[key] = value
        return self._known[key]

    async def _ask(self, principal: Principal, need: Need, subnet: str, region: str) -> Verdict:
        resources = need.resources
        if need.action == "iam:PassRole" and resources[0].startswith("instance-profile/"):
            resources = (await self._role_of(resources[0].partition("/")[2]),)
        if resources[0].startswith("profile-of/"):
            resources = (await self._instance_with(resources[0].partition("/")[2]),)
        identity = (await self._identities()).get(principal.identity)
        policies = identity.policies if identity else {}
        who: Context = {"aws:PrincipalArn": principal.identity, "aws:PrincipalAccount": self._account}
        context: Context = {
            **({} if principal.arn == ANONYMOUS else who),
            "aws:PrincipalIsAWSService": "false",
            "aws:ViaAWSService": "false",
            "aws:ResourceAccount": self._account,
            "aws:RequestedRegion": region or self._backends.settings.region,
            "aws:SecureTransport": "true",
            "aws:userid": principal.user_id,
            **dict(principal.context),
            **need.context,
            **(await self._session_tag(need)),
        }
        service = need.action.partition(":")[0]
        about = (await self._identities()).get(resources[0])
        if service == "iam" and about and about.boundary:
            context.setdefault("iam:PermissionsBoundary", about.boundary[0])
        if service == "ec2":
            context["ec2:Region"] = context["aws:RequestedRegion"]
        asked = keys_asked(policies.values(), need.action)
        tagged = any(":" in key and "resourcetag/" in key for key in asked)
        endpoints: list[dict[str, Any]] = []
        if subnet:
            endpoints, passed = await self._kept(
                ("way", subnet, service), partial(self._way, subnet, service)
            )
            context |= passed
        else:
            context["aws:SourceIp"] = "127.0.0.1"
        # an object's is its bucket's
        owner = resources[0].partition("/")[0] if service == "s3" else resources[0]
        resource_policy = await self._kept(("policy", owner), partial(self._resource_policy, service, owner))
        every = [*policies.values(), resource_policy or {}, *(one["policy"] for one in endpoints)]
        for unset in keys_asked(every, need.action) - _KEYS - {key.lower() for key in context}:
            if not unset.startswith(_TAGS_OF.get(service, _TAGS_OF[""])):
                self._list(need.action, f"the router does not set the condition key {unset}", resources[0])
        return await self._evaluator.ask(
            {
                "principal": {"type": ANONYMOUS} if principal.arn == ANONYMOUS else principal.arn,
                "action": need.action,
                "resources": resources,
                "account": self._account,
                "context": context,
                "tags": {one: await self._tags(one) for one in resources} if tagged else {},
                "identityPolicies": [{"name": name, "policy": policy} for name, policy in policies.items()],
                "boundary": identity.boundary if identity else None,
                "resourcePolicy": resource_policy,
                "endpointPolicies": endpoints,
            }
        )

    # Who calls

    async def _identities(self) -> dict[str, Identity]:
        async def look() -> dict[str, Identity]:
            found = await identities(self._backends)
            if self._user not in found:
                # moto has been started anew
                await prepare_account(self._backends)
                found = await identities(self._backends)
            return found

        found: dict[str, Identity] = await self._kept("identities", look)
        return found

    @property
    def _user(self) -> str:
        return f"arn:aws:iam::{self._account}:user/{DEPLOYER}"

    async def _principal(self, call: Call) -> Principal | None:
        if not call.key:
            return Principal(ANONYMOUS, "", "anonymous", "") if call.service == "s3" else None
        if call.key == DEPLOYER_KEY and not call.token:
            return await self._as(self._user)
        found: Principal = await self._kept(("who", call.key, call.token), partial(self._look_up, call))
        return found

    async def _look_up(self, call: Call) -> Principal:
        kind, _, name = call.token.partition("/")
        if kind == FUNCTION:
            return await self._function(name)
        if kind == INSTANCE:
            return await self._instance(name)
        arn = await _moto_caller(self._backends, call.key)
        if arn.endswith(":user/moto"):
            code = "InvalidAccessKeyId" if call.service == "s3" else "InvalidClientTokenId"
            refuse(code, "The security token included in the request is invalid.", 403)
        role, _, session = arn.partition(":assumed-role/")[2].partition("/")
        return await self._as(f"arn:aws:iam::{self._account}:role/{role}" if role else arn, session)

    async def _as(
        self, identity: str, session: str = "", context: dict[str, str] | None = None, subnet: str = ""
    ) -> Principal:
        """Return a user, or a session of a role."""
        found = (await self._identities()).get(identity)
        if not found:
            refuse("InvalidClientTokenId", "The security token included in the request is invalid.", 403)
        name = identity.rpartition("/")[2]
        if not session:
            return Principal(identity, identity, found.id, name, (("aws:username", name),))
        arn = f"arn:aws:sts::{self._account}:assumed-role/{name}/{session}"
        keys = tuple((context or {}).items())
        return Principal(arn, identity, f"{found.id}:{session}", session, keys, subnet)

    async def _function(self, arn: str) -> Principal:
        name = arn.rpartition(":")[2]
        path = f"/2015-03-31/functions/{quote(name)}/configuration"
        function = (await self._backends.get_json("lambda", path)).json
        subnets = (function.get("VpcConfig") or {}).get("SubnetIds") or [""]
        return await self._as(
            str(function.get("Role", "")), name, {"lambda:SourceFunctionArn": arn}, str(subnets[0])
        )

    async def _instance(self, instance_id: str) -> Principal:
        found = await instances(self._backends, instance_id)
        profile = found[0].profile.rpartition("/")[2] if found else ""
        arn = f"arn:aws:ec2:{self._backends.settings.region}:{self._account}:instance/{instance_id}"
        role = await self._role_of(profile)
        return await self._as(
            role, instance_id, {"ec2:SourceInstanceARN": arn}, found[0].subnet if found else ""
        )

    async def _role_of(self, profile: str) -> str:
        try:
            answer = await self._backends.query("iam", "GetInstanceProfile", {"InstanceProfileName": profile})
        except LookupError:
            return f"arn:aws:iam::{self._account}:role/{profile}"
        return str(answer.findtext(".//Roles/member/Arn"))

    async def _instance_with(self, association: str) -> str:
        """Return the ARN of the instance whose association with a profile this is."""
        asked = {"AssociationId.1": association}
        answer = await self._backends.query("ec2", "DescribeIamInstanceProfileAssociations", asked)
        found = answer.findtext(".//instanceId") or "none"
        return f"arn:aws:ec2:{self._backends.settings.region}:{self._account}:instance/{found}"

    async def _subnet(self, client: str) -> str:
        """Return the subnet of the instance with this address; empty for this computer."""
        if client in {"127.0.0.1", self._backends.settings.gateway, ""}:
            return ""

        async def look() -> str:
            found = await instances(self._backends)
            return next((one.subnet for one in found if one.address == client), "")

        subnet: str = await self._kept(("subnet", client), look)
        return subnet

    # What conditions ask

    async def _session_tag(self, need: Need) -> Context:
        session = need.resources[0].partition(":session/")[2]
        return {"ssm:resourceTag/aws:ssmmessages:session-id": sessions.creator(session)} if session else {}

    async def _tags(self, arn: str) -> Context:
        """Return the tags of an EC2 resource, if it is one that is there."""
        resource_id = arn.rpartition("/")[2]
        if not arn.startswith("arn:aws:ec2:") or resource_id == "new":
            return {}
        asked = {"Filter.1.Name": "resource-id", "Filter.1.Value.1": resource_id}
        answer = await self._backends.query("ec2", "DescribeTags", asked)
        return {
            f"{prefix}{tag.findtext('key')}": str(tag.findtext("value"))
            for tag in answer.iterfind(".//tagSet/item")
            for prefix in ("aws:ResourceTag/", "ssm:resourceTag/")
        }

    # Other policies

    async def _way(self, subnet: str, service: str) -> tuple[list[dict[str, Any]], Context]:
        """Return the policies of the endpoint by which calls leave a subnet, and the keys it adds."""
        subnets = await self._backends.query("ec2", "DescribeSubnets", {"SubnetId.1": subnet})
        vpc = str(subnets.findtext(".//subnetSet/item/vpcId"))
        tables = await self._backends.query(
            "ec2",
            "DescribeRouteTables",
            {"Filter.1.Name": "association.subnet-id", "Filter.1.Value.1": subnet},
        )
        table = tables.findtext(".//routeTableSet/item/routeTableId") or ""
        asked = {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": vpc}
        answer = await self._backends.query("ec2", "DescribeVpcEndpoints", asked)
        for one in answer.iterfind(".//vpcEndpointSet/item"):
            if (
                not str(one.findtext("serviceName")).endswith(f".{service}")
                or one.findtext("state") == "deleted"
            ):
                continue
            gateway = one.findtext("vpcEndpointType") == "Gateway"
            if gateway and table not in {item.text for item in one.iterfind("routeTableIdSet/item")}:
                continue
            endpoint = str(one.findtext("vpcEndpointId"))
            policy = _json(one.findtext("policyDocument"))
            passed: Context = {"aws:SourceVpc": vpc, "aws:SourceVpce": endpoint}
            return ([{"name": endpoint, "policy": policy}] if policy else []), passed
        return [], {}

    async def _resource_policy(self, service: str, arn: str) -> Policy | None:
        """Return the policy of a bucket, function, topic, key or role."""
        name = arn.rpartition(":")[2]
        if service == "s3" and arn != "*":
            answer = await self._backends.get_json("s3", f"/{quote(name)}?policy")
            return answer.json or None if is_there(answer, arn) else None
        if service == "lambda" and ":function:" in arn:
            answer = await self._backends.get_json("lambda", f"/2015-03-31/functions/{quote(name)}/policy")
            return _json(answer.json.get("Policy")) if is_there(answer, arn) else None
        if service == "sts" and ":role/" in arn:
            role = (await self._identities()).get(arn)
            # AWS denies what is not there
            return role.trust if role else {"Version": "2012-10-17", "Statement": []}
        if service == "sns" and arn.startswith("arn:aws:sns:"):
            attributes = await self._form("sns", {"Action": "GetTopicAttributes", "TopicArn": arn})
            entries = parse(attributes.body).iterfind(".//entry") if is_there(attributes, arn) else ()
            return next((_json(e.findtext("value")) for e in entries if e.findtext("key") == "Policy"), None)
        if service == "kms" and ":key/" in arn:
            headers = {
                "x-amz-target": "TrentService.GetKeyPolicy",
                "content-type": "application/x-amz-json-1.1",
            }
            asked = json.dumps({"KeyId": arn, "PolicyName": "default"}).encode()
            answer = await self._backends.send(self._own_call("kms", headers, asked))
            return _json(answer.json.get("Policy")) if is_there(answer, arn) else None
        return None

    async def _form(self, service: str, form: dict[str, str]) -> Answer:
        headers = {"content-type": "application/x-www-form-urlencoded"}
        body = "&".join(f"{key}={quote(value, safe='')}" for key, value in form.items()).encode()
        return await self._backends.send(self._own_call(service, headers, body))

    def _own_call(self, service: str, headers: dict[str, str], body: bytes) -> Call:
        region = self._backends.settings.region
        signed = {**headers, "authorization": signature(service, region)}
        return Call("POST", "/", signed, service, region, body=body)

    def _list(self, action: str, reason: str, resource: str) -> None:
        if (action, reason) in self._listed:
            return
        self._listed.add((action, reason))
        with self._unjudged.open("a") as out:
            out.write(json.dumps({"action": action, "reason": reason, "resource": resource}) + "\n")


def is_there(answer: Answer, arn: str) -> bool:
    """Whether an emulator has a policy of this; one that cannot be read is no absent one."""
    if answer.ok:
        return True
    if answer.status == 404 or b"NotFound" in answer.body:
        return False
    return refuse("ServiceUnavailable", f"the policy of {arn} cannot be read: HTTP {answer.status}", 503)


def keys_asked(policies: Iterable[Policy], action: str) -> set[str]:
    """Return the keys, in lower case, that policies ask for in the conditions of statements on an action."""
    statements = [one for policy in policies for one in listed(policy.get("Statement", []))]
    conditions = [
        values
        for one in statements
        if any(fnmatchcase(action.lower(), named.lower()) for named in listed(one.get("Action", "*")))
        for values in (one.get("Condition") or {}).values()
    ]
    return {key.lower() for one in conditions for key in one}


def _json(text: str | None) -> Policy | None:
    """Parse a policy that an emulator answers as text, at times percent-encoded."""
    if not text:
        return None
    value: Policy = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return value


def _sentence(principal: Principal, need: Need, verdict: Verdict) -> str:
    resource = verdict.get("resource", need.resources[0])
    return (
        f"User: {principal.arn} is not authorized to perform: {need.action} "
        f"on resource: {resource} {verdict['reason']}"
    )


def _deny(call: Call, principal: Principal, need: Need, verdict: Verdict) -> None:
    text = _sentence(principal, need, verdict)
    if call.service == "ec2":
        refuse("UnauthorizedOperation", f"You are not authorized to perform this operation. {text}", 403)
    if call.service in {"s3", "iam", "sts", "sns"}:
        refuse("AccessDenied", text, 403)
    # the JSON protocol has 400 for every error of the client, REST 403 for this one
    refuse("AccessDeniedException", text, 400 if "x-amz-target" in call.headers else 403)


async def _moto_caller(backends: Backends, key: str) -> str:
    """Return the ARN that moto knows for an access key: a user's, a session's, or one that it makes up."""
    region = backends.settings.region
    scope = signature("sts", region).replace("Credential=local/", f"Credential={key}/")
    headers = {"authorization": scope, "content-type": "application/x-www-form-urlencoded"}
    body = b"Action=GetCallerIdentity&Version=2011-06-15"
    answer = await backends.send(Call("POST", "/", headers, "sts", region, body=body))
    return parse(answer.body).findtext(".//Arn") or ""


@answers("sts", "GetCallerIdentity")
async def who_am_i(call: Call, backends: Backends) -> Answer | None:
    """Answer who calls, where the endpoint knows; moto makes somebody up."""
    if call.principal is None:
        return None
    parts = {
        "Arn": call.principal.arn,
        "UserId": call.principal.user_id,
        "Account": backends.settings.account_id,
    }
    result = "".join(f"<{key}>{escape(value)}</{key}>" for key, value in parts.items())
    body = f"<GetCallerIdentityResult>{result}</GetCallerIdentityResult>"
    metadata = "<ResponseMetadata><RequestId>local</RequestId></ResponseMetadata>"
    xml = f"<GetCallerIdentityResponse>{body}{metadata}</GetCallerIdentityResponse>"
    return Answer(200, xml.encode(), {"Content-Type": "text/xml"})
