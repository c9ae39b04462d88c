"""What is stored: the raw object of a request's events and the object of its refused ones.

Raw object, one JSON object per request:

    {"events": [ <event as sent, with `event_id` where the client gave none>, ... ],
     <what stood beside "events">,
     "_ingest": {"receivedAt", "sourceIp", "userAgent", "requestId", "apiId", "stage", "traceId",
                 "method", "path", "identity"?, "replacedEventIds"?}}

Object of refused events, for repair and replay:

    {"rejected": [{"index", "code", "reason", "event" | "text" | "base64", "truncated"?}, ...],
     "_ingest": { ... }}

`index` is absent where the whole body could not be read.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from contract.jsontext import NotJson, canonical_json
from contract.timestamps import utc_text
from ingest.answer import Refusal
from ingest.request import Caller
from ingest.settings import Compression

EVENTS_FOLDER: Final = "events"
REJECTED_FOLDER: Final = "rejected"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object for S3."""

    key: str
    body: bytes
    content_encoding: str | None = None


def raw_key(received_at: datetime, object_id: str) -> str:
    """Return the key of a raw object: the UTC hour of receipt and a random id."""
    return _key(EVENTS_FOLDER, "event", received_at, object_id)


def rejected_key(received_at: datetime, object_id: str) -> str:
    """Return the key of an object of refused events."""
    return _key(REJECTED_FOLDER, "rejected", received_at, object_id)


def _key(folder: str, name: str, received_at: datetime, object_id: str) -> str:
    hour = received_at.astimezone(UTC).strftime("%Y/%m/%d/%H")
    return f"{folder}/{hour}/{name}-{object_id}.json"


def ingest_metadata(
    caller: Caller, received_at: datetime, identity: dict[str, object] | None
) -> dict[str, object]:
    """Return `_ingest`: what the collector knows of a request."""
    metadata: dict[str, object] = {
        "receivedAt": utc_text(received_at),
        "sourceIp": caller.source_ip,
        "userAgent": caller.user_agent,
        "requestId": caller.request_id,
        "apiId": caller.api_id,
        "stage": caller.stage,
        "traceId": caller.trace_id,
        "method": caller.method,
        "path": caller.path,
    }
    if identity is not None:
        metadata["identity"] = identity
    return metadata


def raw_object(
    key: str,
    kept: list[bytes],
    envelope: dict[str, object],
    metadata: dict[str, object],
    replaced_ids: dict[int, object],
    compression: Compression,
) -> StoredObject:
    """Return the raw object of a request; `kept` are its events as JSON texts."""
    if replaced_ids:
        replaced = [{"index": index, "value": value} for index, value in replaced_ids.items()]
        metadata = {**metadata, "replacedEventIds": replaced}
    beside = b"".join(
        b",%s:%s" % (canonical_json(name), canonical_json(value))
        for name, value in {**envelope, "_ingest": metadata}.items()
    )
    body = b'{"events":[%s]%s}' % (b",".join(kept), beside)
    return _packed(key, body, compression)


def refused_object(
    key: str,
    entries: list[dict[str, object]],
    metadata: dict[str, object],
    compression: Compression,
) -> StoredObject:
    """Return the object of refused events; `entries` as made by the functions below."""
    return _packed(key, canonical_json({"rejected": entries, "_ingest": metadata}), compression)


def refused_event(refusal: Refusal, event: object, limit: int) -> dict[str, object]:
    """Return the entry of a refused event; its JSON is kept up to `limit` bytes."""
    entry: dict[str, object] = {
        "index": refusal.index,
        "code": refusal.problem.code,
        "reason": refusal.problem.reason,
    }
    try:
        text = canonical_json(event)
    except NotJson:
        # Infinity (1e999) or nesting beyond what can be written: Python's own notation is left.
        return entry | _kept_text(_python_text(event, limit), limit)
    if len(text) > limit:
        return entry | _kept_text(text.decode("utf-8"), limit)
    return entry | {"event": event}


def refused_body(code: str, reason: str, body: str | bytes, limit: int) -> dict[str, object]:
    """Return the entry of a body that could not be read; it is kept up to `limit` bytes."""
    entry: dict[str, object] = {"code": code, "reason": reason}
    if isinstance(body, str):
        return entry | _kept_text(body, limit)
    kept = base64.b64encode(body[:limit]).decode("ascii")
    return entry | {"base64": kept, "truncated": len(body) > limit}


def _kept_text(text: str, limit: int) -> dict[str, object]:
    # A character takes up to four bytes; a limit on characters is near enough for a cap.
    return {"text": text[:limit], "truncated": len(text) > limit}


def _python_text(value: object, limit: int) -> str:
    try:
        return repr(value)[: limit + 1]
    except (RecursionError, ValueError):
        return ""


def _packed(key: str, body: bytes, compression: Compression) -> StoredObject:
    if compression is Compression.GZIP:
        return StoredObject(key, gzip.compress(body, compresslevel=6, mtime=0), "gzip")
    return StoredObject(key, body)
