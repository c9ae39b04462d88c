"""The id of an event.

A client's valid UUID is kept. Another id that the client gave makes a UUIDv5 of itself and of its sender
(`clientId` and `sessionId`; of the event's content, if it has neither): the same event is the same row, in
whatever grouping it is sent again.

Without any id, it is a UUIDv5 of the canonical event as sent, its position in the request, its `clientId` and
`sessionId`, and, if the event has no timestamp, the id of the request. So a repeated request gives the same
ids, except to events without a timestamp: two page views without one look like one page view that was sent
twice, and counting an event twice does less harm than losing one.
"""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping
from typing import Final

from contract.fields import CLIENT_ID, EVENT_ID, EVENT_TIMESTAMP, SESSION_ID, Field, field_value
from contract.text import clean_text

NAMESPACE: Final = uuid.UUID("7e58cddd-e833-428f-90bd-890848dcf902")
"""Namespace of the generated ids: a random constant. Changing it changes every id."""

_ID_NAMES: Final = EVENT_ID.spellings()
_UUID: Final = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
# The nil and the max UUID stand for "no id": all events that carry one of them would be the same event.
_NO_ID: Final = frozenset({str(uuid.UUID(int=0)), str(uuid.UUID(int=2**128 - 1))})


def valid_uuid(value: object) -> str | None:
    """Return `value` in lower case if it is the text of a UUID, and not the nil or the max one; else None."""
    if not isinstance(value, str) or _UUID.fullmatch(value) is None:
        return None
    lower = value.lower()
    return None if lower in _NO_ID else lower


def client_event_id(event: Mapping[str, object]) -> str | None:
    """Return the valid UUID that the event carries (`eventId`, else `event_id`), or None."""
    for name in _ID_NAMES:
        value = event.get(name)
        if not isinstance(value, str):
            continue
        found = valid_uuid(value) or valid_uuid(clean_text(value))
        if found is not None:
            return found
    return None


def made_event_id(event: Mapping[str, object], canonical: bytes, position: int, request_id: str) -> str:
    """Return the generated id of an event that has no valid one.

    `canonical` is the event's canonical JSON as sent, `position` its index in the request and
    `request_id` identifies the request (or is the raw object's key, if the object names no request).
    """
    sender = [_part(event, CLIENT_ID), _part(event, SESSION_ID)]
    given = _given_id(event)
    if given is None:
        parts = [canonical, b"%d" % position, *sender]
        if field_value(event, EVENT_TIMESTAMP) is None:
            parts.append(request_id.encode("utf-8", "surrogatepass"))
    else:
        # No canonical event begins with a digit, so this is never an id of the other kind.
        parts = [b"%d" % len(given), given, *(sender if any(sender) else [canonical])]
    digest = hashlib.sha1(NAMESPACE.bytes + b"\x00".join(parts), usedforsecurity=False).digest()
    return str(uuid.UUID(bytes=digest[:16], version=5))


def _given_id(event: Mapping[str, object]) -> bytes | None:
    """Return the id that the event carries, or None if it carries none; it is no UUID."""
    value = field_value(event, EVENT_ID)
    if isinstance(value, bool) or not isinstance(value, str | int) or str(value) in _NO_ID:
        return None
    return str(value).encode("utf-8", "surrogatepass")


def _part(event: Mapping[str, object], field: Field) -> bytes:
    value = field_value(event, field)
    return b"" if value is None else str(value).encode("utf-8", "surrogatepass")
