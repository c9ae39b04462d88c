"""API Gateway's event (payload format 2.0) -> the body as text, the caller, a verified identity."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from contract.gzipped import MAGIC, BrokenGzip, TooLarge, gunzip
from contract.timestamps import parse_time
from ingest.answer import RequestProblem
from ingest.settings import Settings, SourceIp

JSON_TYPES: Final = frozenset({"", "application/json", "text/plain"})
"""Media types of bodies that are text. `sendBeacon` sends a Blob without a type without a media type."""
GZIP_TYPES: Final = frozenset({"application/gzip", "application/x-gzip"})
CHARSETS: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})

GZIP_HINT: Final = (
    "Send gzip with the header 'Content-Type: application/gzip': with any other media type the gateway "
    "converts the body to text, and the bytes are lost."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who called and how, for the raw object's `_ingest`. None of it is verified."""

    source_ip: str | None
    user_agent: str | None
    request_id: str
    api_id: str | None
    stage: str | None
    trace_id: str | None
    method: str
    path: str


def read_caller(event: Mapping[str, object], settings: Settings, trace_id: str | None) -> Caller:
    """Return what the gateway says about the caller."""
    context = _mapping(event, "requestContext")
    http = _mapping(context, "http")
    return Caller(
        source_ip=_kept_address(_text(http, "sourceIp"), settings.source_ip),
        user_agent=_text(http, "userAgent"),
        request_id=_text(context, "requestId") or "",
        api_id=_text(context, "apiId"),
        stage=_text(context, "stage"),
        trace_id=_headers(event).get("x-amzn-trace-id") or trace_id,
        method=(_text(http, "method") or "").upper(),
        path=_text(http, "path") or _text(event, "rawPath") or "",
    )


def read_received_at(event: Mapping[str, object], now: datetime) -> datetime:
    """Return when the gateway received the request; `now`, the function's time, if it does not say.

    Functions start late and their clocks differ: only the gateway's knows which request came first.
    """
    epoch = _mapping(event, "requestContext").get("timeEpoch")
    received_at = parse_time(epoch) if isinstance(epoch, int) else None
    return now if received_at is None else received_at


def read_identity(event: Mapping[str, object], settings: Settings) -> dict[str, object] | None:
    """Return the verified identity of a request to a `/me` route, or None for the open route.

    The gateway's JWT authorizer has checked the token, and its claims are in the event. Raises RequestProblem
    (401) if a request to a `/me` route has no claims: the route may have lost its authorizer.
    """
    context = _mapping(event, "requestContext")
    route = _text(event, "routeKey") or _text(_mapping(context, "http"), "path") or ""
    if not route.rstrip("/").endswith("/me"):
        return None
    claims = _mapping(_mapping(_mapping(context, "authorizer"), "jwt"), "claims")
    subject = _text(claims, "sub")
    if not subject:
        raise RequestProblem(
            401,
            "no_identity",
            "the request carries no verified identity",
            "Refresh the token, or send to the open route.",
        )
    return {
        "verified": True,
        "userId": subject,
        "userLoginState": "logged_in",
        "identitySource": settings.identity_source,
    }


def check_format(event: Mapping[str, object]) -> None:
    """Refuse payload format 1.0, in which everything is elsewhere. Raises RequestProblem (500)."""
    if "httpMethod" in event:
        raise RequestProblem(
            500,
            "payload_format",
            "the API's integration sends payload format 1.0",
            "Set its payloadFormatVersion to 2.0, and send the events again.",
        )


def check_origin(event: Mapping[str, object], settings: Settings) -> None:
    """Refuse the pages of strangers: CORS keeps a browser from reading the answer, not from sending.

    Raises RequestProblem (403).
    """
    origin = _headers(event).get("origin")
    if origin is None or not settings.origins or origin.lower() in settings.origins:
        return
    raise RequestProblem(
        403, "origin", "pages of this origin may not send events", "Add the origin to platform_cors_origins."
    )


def read_body(event: Mapping[str, object], settings: Settings) -> str:
    """Return the request's body as text, without base64 and gzip. Raises RequestProblem."""
    media_type, charset = _media_type(_headers(event).get("content-type", ""))
    if media_type not in JSON_TYPES | GZIP_TYPES:
        raise RequestProblem(
            415,
            "media_type",
            f"media type {media_type[:100]!r} is not supported",
            "Send application/json, text/plain or application/gzip.",
        )
    if charset not in CHARSETS:
        raise RequestProblem(415, "charset", f"charset {charset[:40]!r} is not supported", "Send UTF-8.")
    data = _body_bytes(event)
    if len(data) > settings.max_body_bytes:
        raise _too_large(settings.max_body_bytes)
    if data.startswith(MAGIC):
        data = _gunzip(data, settings.max_decoded_bytes)
    elif media_type in GZIP_TYPES:
        raise RequestProblem(400, "not_gzip", "the body is not gzip", GZIP_HINT)
    elif _is_mangled_gzip(data):
        raise RequestProblem(400, "mangled_gzip", "the body is gzip that was converted to text", GZIP_HINT)
    elif len(data) > settings.max_decoded_bytes:
        raise _too_large(settings.max_decoded_bytes)
    if not data.strip():
        raise RequestProblem(400, "empty_body", "the body is empty", "Send one event as JSON.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise RequestProblem(400, "not_utf8", "the body is not UTF-8", "Send UTF-8.", body=data) from None


def body_size(event: Mapping[str, object]) -> int:
    """Return the size of the body as received, without base64, in bytes."""
    body = event.get("body")
    if not isinstance(body, str):
        return 0
    if event.get("isBase64Encoded"):
        return len(body.rstrip("=")) * 3 // 4
    return len(body.encode("utf-8", "surrogatepass"))


def _body_bytes(event: Mapping[str, object]) -> bytes:
    body = event.get("body")
    if not isinstance(body, str):
        return b""
    if not event.get("isBase64Encoded"):
        # The text may hold lone surrogates. They are found later, when the bytes are decoded as UTF-8.
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError):
        raise RequestProblem(400, "not_base64", "the body is not base64") from None


def _gunzip(data: bytes, limit: int) -> bytes:
    try:
        return gunzip(data, limit)
    except BrokenGzip as error:
        raise RequestProblem(400, "broken_gzip", f"the body is {error}", GZIP_HINT, body=data) from None
    except TooLarge:
        raise _too_large(limit) from None


def _is_mangled_gzip(data: bytes) -> bool:
    """Say whether gzip was converted to text: its byte 0x8b is not UTF-8 and becomes U+FFFD or U+008B."""
    return data.startswith((b"\x1f\xef\xbf\xbd", b"\x1f\xc2\x8b"))


def _too_large(limit: int) -> RequestProblem:
    return RequestProblem(
        413, "too_large", f"the body is larger than {limit} bytes", "Send fewer events at a time."
    )


def _media_type(header: str) -> tuple[str, str]:
    """Return media type and charset of a Content-Type header, both in lower case.

    The gateway joins a header that was sent twice by a comma. What is unsupported goes before what is not.
    """
    types, charsets = [], []
    for value in header.lower().split(","):
        media_type, *parameters = (part.strip() for part in value.split(";"))
        types.append(media_type)
        pairs = (parameter.partition("=") for parameter in parameters)
        charsets += [text.strip().strip('"') for name, _, text in pairs if name.strip() == "charset"]
    return (
        next((one for one in types if one not in JSON_TYPES), types[0]),
        next((one for one in charsets if one not in CHARSETS), ""),
    )


def _kept_address(address: str | None, keep: SourceIp) -> str | None:
    if address is None or keep is SourceIp.NONE:
        return None
    if keep is SourceIp.FULL:
        return address
    from ipaddress import ip_address, ip_network  # imported only for this option: it costs start-up time

    try:
        parsed = ip_address(address)
        # A socket for both versions shows an IPv4 address as ::ffff:203.0.113.77.
        parsed = (parsed.ipv4_mapped if parsed.version == 6 else None) or parsed
        return str(ip_network((parsed, 24 if parsed.version == 4 else 48), strict=False).network_address)
    except ValueError:
        return None


def _headers(event: Mapping[str, object]) -> dict[str, str]:
    """Return the headers with their names in lower case, which is how the gateway sends them."""
    headers = _mapping(event, "headers")
    return {name.lower(): value for name, value in headers.items() if isinstance(value, str)}


def _mapping(source: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = source.get(key)
    return value if isinstance(value, dict) else {}


def _text(source: Mapping[str, object], key: str) -> str | None:
    value = source.get(key)
    return value if isinstance(value, str) else None
