"""What is stored: the raw object of a request's events, and the object of its refused events.

Raw object, one JSON object per request:

    {"events": [ <event as sent, with a generated `event_id` if it had no valid id>, ... ],
     <the other keys beside "events">,
     "_ingest": {"receivedAt", "sourceIp", "userAgent", "requestId", "apiId", "stage", "traceId",
                 "method", "path", "identity"?, "replacedEventIds"?,
                 "refusals"?: {"events", "kept"}}}

`refusals` counts what was refused since the collector (one execution environment of it) stored a raw object
before this one: no other object says so of what was not kept.

Object of refused events, from which they can be repaired and loaded:

    {"rejected": [{"index", "code", "reason", "event" | "text" | "base64", "truncated"?}, ...],
     <the other keys beside "events">,
     "_ingest": { ... }}

`index` is absent if the whole body could not be read.
"""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NamedTuple

from contract.jsontext import NotJson, canonical_json
from contract.timestamps import utc_text
from ingest.answer import Refusal
from ingest.events import Kept
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


class Refusals(NamedTuple):
    """How many events were refused, and how many of these are kept. A body that cannot be read is one."""

    events: int = 0
    kept: int = 0


NONE_REFUSED: Final = Refusals()


def raw_key(received_at: datetime, object_id: str) -> str:
    """Return the key of a raw object: the UTC hour of receipt and a random id."""
    return _key(EVENTS_FOLDER, "event", received_at, object_id)


def rejected_key(received_at: datetime, object_id: str) -> str:
    """Return the key of an object of refused events."""
    return _key(REJECTED_FOLDER, "rejected", received_at, object_id)


def is_rejected(stored: StoredObject) -> bool:
    """Say whether an object is one of refused events."""
    return stored.key.startswith(f"{REJECTED_FOLDER}/")


def _key(folder: str, name: str, received_at: datetime, object_id: str) -> str:
    hour = received_at.astimezone(UTC).strftime("%Y/%m/%d/%H")
    return f"{folder}/{hour}/{name}-{object_id}.json"


def ingest_metadata(
    caller: Caller, received_at: datetime, identity: dict[str, object] | None
) -> dict[str, object]:
    """Return `_ingest`: what the collector knows about a request."""
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
    kept: Kept,
    envelope: dict[str, object],
    metadata: dict[str, object],
    refusals: Refusals,
    compression: Compression,
) -> StoredObject:
    """Return the raw object of a request's events; `refusals` are those that no object says yet."""
    if refusals.events:
        metadata = {**metadata, "refusals": refusals._asdict()}
    if kept.replaced_ids:
        replaced = [{"index": index, "value": value} for index, value in kept.replaced_ids.items()]
        metadata = {**metadata, "replacedEventIds": replaced}
    beside = {**envelope, "_ingest": metadata}
    return _packed(key, _object("events", kept.texts, beside), compression)


def refused_object(
    key: str,
    entries: list[bytes],
    envelope: dict[str, object],
    metadata: dict[str, object],
    compression: Compression,
) -> StoredObject:
    """Return the object of refused events; `entries` are made by `refused_event` and `refused_body`."""
    beside = {name: value for name, value in envelope.items() if name != "rejected"}
    return _packed(key, _object("rejected", entries, {**beside, "_ingest": metadata}), compression)


def _object(name: str, texts: list[bytes], beside: dict[str, object]) -> bytes:
    """Return a JSON object: an array of JSON texts under `name`, and other keys beside it."""
    members = b"".join(
        b",%s:%s" % (canonical_json(key), canonical_json(value)) for key, value in beside.items()
    )
    return b'{"%s":[%s]%s}' % (name.encode(), b",".join(texts), members)


def refused_event(refusal: Refusal, event: object, limit: int) -> bytes:
    """Return the entry of a refused event as JSON, with at most `limit` bytes of the event."""
    entry: dict[str, object] = {
        "index": refusal.index,
        "code": refusal.problem.code,
        "reason": refusal.problem.reason,
    }
    try:
        text = canonical_json(event)
    except NotJson:
        return _with_text(entry, _lenient_json(event), limit)
    if len(text) > limit:
        return _with_text(entry, text.decode("utf-8"), limit)
    # Joined as text: the writer may not be able to nest a deep event one level deeper.
    return canonical_json(entry)[:-1] + b',"event":%s}' % text


def refused_body(code: str, reason: str, body: str | bytes, limit: int) -> bytes:
    """Return the entry of a body that could not be read as JSON, with at most `limit` bytes of the body."""
    entry: dict[str, object] = {"code": code, "reason": reason}
    if isinstance(body, str):
        return _with_text(entry, body, limit)
    kept = base64.b64encode(body[:limit]).decode("ascii")
    return canonical_json(entry | {"base64": kept, "truncated": len(body) > limit})


def _with_text(entry: dict[str, object], text: str, limit: int) -> bytes:
    # Characters, not bytes: a character takes at most four bytes, and the limit need not be exact.
    return canonical_json(entry | {"text": text[:limit], "truncated": len(text) > limit})


def _lenient_json(event: object) -> str:
    """Return the event as JSON with `Infinity`, which is not JSON, for numbers such as 1e999."""
    try:
        return json.dumps(event)
    except RecursionError:
        return ""


def _packed(key: str, body: bytes, compression: Compression) -> StoredObject:
    if compression is Compression.GZIP:
        return StoredObject(key, gzip.compress(body, compresslevel=6, mtime=0), "gzip")
    return StoredObject(key, body)
