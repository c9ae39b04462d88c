"""The collector's HTTP responses: API Gateway's payload format 2.0 with a JSON body."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import TypedDict

from contract.validation import Problem


class Response(TypedDict):
    """A Lambda proxy response."""

    statusCode: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """One event that is refused: its index in the request and why."""

    index: int
    problem: Problem


class RequestProblem(Exception):
    """The whole request is refused.

    `status` is the HTTP status, `code` the reason for metrics, `reason` the reason for people and `hint` what
    to do about it. `body` is the body that could not be read, if it is to be stored.
    """

    def __init__(
        self, status: int, code: str, reason: str, hint: str = "", body: str | bytes | None = None
    ) -> None:
        super().__init__(reason)
        self.status = status
        self.code = code
        self.reason = reason
        self.hint = hint
        self.body = body


def accepted(count: int, refusals: Iterable[Refusal], warnings: Iterable[Problem] = ()) -> Response:
    """Answer a request of which `count` events were stored; `warnings` say what of it is not heeded."""
    return _response(200, {"success": True, "accepted": count} | _details(refusals, warnings))


def refused(
    status: int,
    reason: str,
    hint: str = "",
    refusals: Iterable[Refusal] = (),
    warnings: Iterable[Problem] = (),
) -> Response:
    """Answer a request of which no event is accepted."""
    body: dict[str, object] = {
        "success": False,
        "accepted": 0,
        **_details(refusals, warnings),
        "error": reason,
    }
    if hint:
        body["hint"] = hint
    response = _response(status, body)
    if status == 405:
        response["headers"]["allow"] = "POST"
    return response


def _details(refusals: Iterable[Refusal], warnings: Iterable[Problem]) -> dict[str, object]:
    rejected = [{"index": refusal.index, **asdict(refusal.problem)} for refusal in refusals]
    found = [asdict(warning) for warning in warnings]
    return {"rejected": rejected, "warnings": found} if found else {"rejected": rejected}


def _response(status: int, body: dict[str, object]) -> Response:
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "body": json.dumps(body, separators=(",", ":")),
    }
