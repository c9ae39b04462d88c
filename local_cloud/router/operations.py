"""Which operation a request is, and whether it changes anything.

What a service has is botocore's knowledge; a REST call does not even name its operation.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore.loaders
from botocore.exceptions import DataNotFoundError

from local_cloud.router.calls import EXECUTE_API, Call, refuse

_MODELS = {
    "apigateway": ("apigatewayv2", "apigateway"),
    "email": ("ses",),
    "monitoring": ("cloudwatch",),
    "servicequotas": ("service-quotas",),
    "ses": ("ses", "sesv2"),
    "states": ("stepfunctions",),
    "tagging": ("resourcegroupstaggingapi",),
}
"""Signing name → botocore's models, where the two differ."""

_READS = re.compile(
    r"^(Admin(Get|List)|AssumeRole|BatchGet|Check|Decode|Describe|Discover|Estimate|Filter|Get|"
    r"Head|List|Lookup|Preview|Query|Receive|Scan|Search|Select|Simulate|Test|Validate|View)"
)
_ALSO_READS = {
    "kms": {"Decrypt", "Encrypt", "GenerateDataKey", "GenerateRandom", "Sign", "Verify"},
    # how Ansible reaches a host, not a change of the account
    "ssm": {"StartSession", "ResumeSession", "TerminateSession"},
}


_RPC_PATH = re.compile(r"^/service/([^/]+)/operation/([^/]+)$")


@dataclass(frozen=True)
class _Pattern:
    """One REST operation: its path as an expression and what its query and headers need."""

    name: str
    method: str
    path: re.Pattern[str]
    query: dict[str, str | None]
    headers: frozenset[str]
    literals: int

    @property
    def weight(self) -> tuple[int, int]:
        """Of several patterns that match, the one that requires most is the operation."""
        return (len(self.query) + len(self.headers), self.literals)


def _pattern(name: str, operation: dict[str, object], shapes: dict[str, object]) -> _Pattern:
    http = operation["http"]
    assert isinstance(http, dict)  # noqa: S101 - botocore's own data
    path, _, query = str(http["requestUri"]).partition("?")
    parts = []
    for part in path.strip("/").split("/"):
        if part.startswith("{"):
            parts.append(".+" if part.endswith("+}") else "[^/]+")
        else:
            parts.append(re.escape(part))
    wanted: dict[str, str | None] = {}
    for item in filter(None, query.split("&")):
        key, _, value = item.partition("=")
        wanted[key] = value or None
    headers = set()
    shape = shapes.get(str(operation.get("input", {}).get("shape", "")), {})  # type: ignore[attr-defined]
    for member in shape.get("required", []):  # type: ignore[attr-defined]
        detail = shape["members"][member]  # type: ignore[index]
        if detail.get("location") == "querystring":
            wanted.setdefault(detail["locationName"], None)
        elif detail.get("location") == "header":
            headers.add(detail["locationName"].lower())
    literals = sum(not part.startswith("{") for part in path.strip("/").split("/"))
    return _Pattern(
        name,
        str(http["method"]),
        re.compile("/" + "/".join(parts) + "/?"),
        wanted,
        frozenset(headers),
        literals,
    )


@dataclass(frozen=True)
class Operation:
    """The names of the parameters in the body of a call, and whether it needs no signature."""

    members: frozenset[str]
    unsigned: bool


@dataclass(frozen=True)
class _Model:
    form: bool
    target: str
    operations: dict[str, Operation]
    patterns: tuple[_Pattern, ...]


def _operation(operation: dict[str, Any], shapes: dict[str, Any]) -> Operation:
    shape = shapes.get(operation.get("input", {}).get("shape", ""), {})
    members = {} if "payload" in shape else shape.get("members", {})
    names = {"Action", "Version"}
    for key, member in members.items():
        if "location" not in member:
            named = member.get("locationName", key)
            # EC2's forms begin with a capital
            names |= {key, named, named[0].upper() + named[1:], member.get("queryName", key)}
    return Operation(frozenset(names), operation.get("authtype") == "none")


@cache
def _models(service: str) -> tuple[_Model, ...]:
    """Return what botocore knows of a service; nothing when it does not know it."""
    found = []
    for name in _MODELS.get(service, (service,)):
        try:
            model = botocore.loaders.Loader().load_service_model(name, "service-2")
        except DataNotFoundError:
            continue
        about, shapes = model["metadata"], model["shapes"]
        rest = about["protocol"].startswith("rest")
        operations = model["operations"].items()
        found.append(
            _Model(
                not {"query", "ec2"}.isdisjoint([about["protocol"], *about.get("protocols", ())]),
                about.get("targetPrefix", ""),
                {name: _operation(one, shapes) for name, one in operations},
                tuple(_pattern(name, one, shapes) for name, one in operations) if rest else (),
            )
        )
    return tuple(found)


def rpc_action(call: Call) -> str:
    """Return the action of a JSON or CBOR call, which names it outside its body; empty for another call."""
    targets = {one.target for one in _models(call.service)} - {""}
    if not targets:
        return ""
    rpc = _RPC_PATH.match(urlsplit(call.path).path)
    # ministack goes by the header first of all
    target = call.headers.get("x-amz-target") or (".".join(rpc.groups()) if rpc else "")
    prefix, _, name = target.rpartition(".")
    return name if prefix in targets else target


def takes_form(call: Call) -> bool:
    """Whether the parameters are a form, as in EC2's and IAM's protocol."""
    root = urlsplit(call.path).path == "/" or call.form_encoded
    return root and any(one.form for one in _models(call.service)) and not rpc_action(call)


def operation_of(call: Call) -> Operation | None:
    """Return what the service's model says of the call's action; nothing when the service has no such."""
    found = (one.operations.get(call.action) for one in _models(call.service))
    return next(filter(None, found), None)


def refuse_unknown(call: Call) -> None:
    """Refuse, as AWS does, a call that the service of its signature does not have."""
    if not _models(call.service):
        refuse("InvalidSignatureException", "Credential should be scoped to correct service.", 403)
    if takes_form(call) and len({key for key, _ in call.form}) < len(call.form):
        refuse("MalformedQueryString", "A parameter is there more than once.")
    if operation_of(call):
        return
    if call.service == "s3":
        refuse("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    if takes_form(call):
        refuse("InvalidAction", f"The action {call.action} is not valid for this web service.")
    refuse("UnknownOperationException", f"{call.service} has no operation {call.action}.")


def as_read(call: Call) -> Call:
    """Return the call without the parameters that its operation does not have, as services read it."""
    operation = operation_of(call)
    members = operation.members if operation else frozenset()
    if takes_form(call):
        form = [one for one in call.form if one[0].partition(".")[0] in members]
        return replace(call, _form=form, _json={})
    return replace(call, _form=[], _json={key: one for key, one in call.json.items() if key in members})


def _fits(pattern: _Pattern, call: Call, path: str) -> bool:
    query = call.query
    return (
        pattern.method == call.method
        and pattern.path.fullmatch(path) is not None
        and all(
            key in query and (value is None or value in query[key]) for key, value in pattern.query.items()
        )
        and pattern.headers <= call.headers.keys()
    )


def action_of(call: Call) -> str:
    """Name the operation of a call, e.g. ``CreateVpc``; method and path where unknown.

    A form's body must have been read.
    """
    if call.service == "execute-api":
        path = urlsplit(call.path).path
        if path.startswith(EXECUTE_API):
            path = "/" + path[len(EXECUTE_API) :].partition("/")[2]
        return f"{call.method} {path}"
    named = rpc_action(call) or (call.param("Action") if takes_form(call) else "")
    if named:
        return named
    path = urlsplit(call.path).path
    patterns = [one for model in _models(call.service) for one in model.patterns]
    fitting = [one for one in patterns if _fits(one, call, path)]
    if fitting:
        return max(fitting, key=lambda one: one.weight).name
    return f"{call.method} {path}"


def changes(call: Call) -> bool:
    """Whether the call may change the account; an unknown one counts as a change."""
    if call.service == "execute-api" or " " in call.action:
        return call.method not in {"GET", "HEAD", "OPTIONS"}
    if call.action in _ALSO_READS.get(call.service, ()):
        return False
    if call.service == "sts" or _READS.match(call.action):
        return False
    return not (call.service == "ec2" and call.param("DryRun").lower() == "true")
