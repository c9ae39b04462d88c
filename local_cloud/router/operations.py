"""Which operation a request is, and whether it changes anything.

A REST call does not name its operation: it is looked up in botocore's service models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from urllib.parse import urlsplit

import botocore.loaders
from botocore.exceptions import DataNotFoundError

from local_cloud.router.calls import EXECUTE_API, Call, rpc_action

_MODELS = {"apigateway": ("apigatewayv2", "apigateway"), "monitoring": ("cloudwatch",)}
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


@cache
def _patterns(service: str) -> tuple[_Pattern, ...]:
    """Return the REST operations of a service; none when botocore does not know it."""
    found: list[_Pattern] = []
    for model_name in _MODELS.get(service, (service,)):
        try:
            model = botocore.loaders.Loader().load_service_model(model_name, "service-2")
        except DataNotFoundError:
            continue
        if not model["metadata"]["protocol"].startswith("rest"):
            continue
        shapes = model["shapes"]
        found += [_pattern(name, one, shapes) for name, one in model["operations"].items()]
    return tuple(found)


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
    named = rpc_action(call)
    if named:
        return named
    if call.form_encoded and call.param("Action"):
        return call.param("Action")
    if call.query.get("Action"):
        return call.query["Action"][0]
    path = urlsplit(call.path).path
    fitting = [one for one in _patterns(call.service) if _fits(one, call, path)]
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
