"""IAM's users and roles with the policies that they have, as moto holds them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote
from xml.etree import ElementTree

from local_cloud.router.backends import Backends

Policy = dict[str, Any]

AWS_OWN = "arn:aws:iam::aws:"
"""What the ARNs of AWS's own policies begin with."""

_KINDS = {"Filter.member.1": "User", "Filter.member.2": "Role", "Filter.member.3": "LocalManagedPolicy"}


@dataclass(frozen=True)
class Identity:
    """A user or a role.

    ``policies`` are its own and the attached ones, by name, ``boundary`` its bound, and ``trust`` says who
    may assume a role.
    """

    arn: str
    id: str
    policies: dict[str, Policy]
    boundary: tuple[str, Policy] | None = None
    trust: Policy = field(default_factory=dict)


async def identities(backends: Backends) -> dict[str, Identity]:
    """Return all users and roles by ARN."""
    account = await backends.query("iam", "GetAccountAuthorizationDetails", _KINDS)
    managed = {
        str(one.findtext("Arn")): _document(
            one.findtext("PolicyVersionList/member[IsDefaultVersion='true']/Document")
        )
        for one in account.iterfind(".//Policies/member")
    }
    found = {}
    for kind in ("User", "Role"):
        for one in account.iterfind(f".//{kind}DetailList/member"):
            identity = await _identity(backends, kind, one, managed)
            found[identity.arn] = identity
    return found


async def _identity(
    backends: Backends, kind: str, one: ElementTree.Element, managed: dict[str, Policy]
) -> Identity:
    policies = {
        str(policy.findtext("PolicyName")): _document(policy.findtext("PolicyDocument"))
        for policy in one.iterfind(f"{kind}PolicyList/member")
    }
    for policy in one.iterfind("AttachedManagedPolicies/member"):
        arn = str(policy.findtext("PolicyArn"))
        if arn not in managed:
            managed[arn] = await _aws_managed(backends, arn)
        policies[arn] = managed[arn]
    boundary = None
    if kind == "Role":  # moto leaves it out of the account's details
        asked = {"RoleName": str(one.findtext("RoleName"))}
        answer = await backends.query("iam", "GetRole", asked)
        arn = answer.findtext(".//PermissionsBoundary/PermissionsBoundaryArn") or ""
        if arn:
            if arn not in managed:
                # AWS keeps a policy that bounds a role; one that is not there allows nothing
                managed[arn] = await _aws_managed(backends, arn) if arn.startswith(AWS_OWN) else {}
            boundary = arn, managed[arn]
    trust = _document(one.findtext("AssumeRolePolicyDocument"))
    return Identity(str(one.findtext("Arn")), str(one.findtext(f"{kind}Id")), policies, boundary, trust)


async def _aws_managed(backends: Backends, arn: str) -> Policy:
    policy = await backends.query("iam", "GetPolicy", {"PolicyArn": arn})
    version = str(policy.findtext(".//DefaultVersionId"))
    answer = await backends.query("iam", "GetPolicyVersion", {"PolicyArn": arn, "VersionId": version})
    return _document(answer.findtext(".//PolicyVersion/Document"))


def listed(value: Any) -> list[Any]:
    """Return a list as it is, and anything else as the only one in a list, as policies allow it."""
    return value if isinstance(value, list) else [value]


def _document(text: str | None) -> Policy:
    """Parse a policy, which IAM answers percent-encoded and moto sometimes does not."""
    text = text or "{}"
    value: Policy = json.loads(text if text.lstrip().startswith("{") else unquote(text))
    return value
