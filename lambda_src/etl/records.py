"""A raw object -> rows and rejected events. Pure.

Three forms are read:

- the collector's: `{"events": [ ... ], "_ingest": { ... }}`, other keys beside them
- one bare event, with `_ingest` among its fields
- a JSON array of events, each with its own `_ingest` or none

Only in the last two may an event speak of `_ingest` itself: in the collector's form such a field is
the client's word, and it does not count.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple

from contract.fields import (
    CLIENT_ID,
    ELEMENT,
    EVENT_NAME,
    EVENT_TIMESTAMP,
    IDENTITY_SOURCE,
    IS_FIRST_VISIT,
    PAGE_URL,
    PRODUCT,
    PRODUCT_BRAND,
    PRODUCT_CATEGORY,
    PRODUCT_DISCOUNT_PRICE,
    PRODUCT_ID,
    PRODUCT_NAME,
    PRODUCT_PRICE,
    PRODUCT_URL_PATH,
    REFERRER,
    SENT_AT,
    SESSION_ID,
    USER_ID,
    USER_LOGIN_STATE,
    Field,
    field_value,
)
from contract.gzipped import MAGIC, BrokenGzip, TooLarge, gunzip
from contract.identity import client_event_id, made_event_id
from contract.jsontext import NotJson, canonical_json, parse_json
from contract.names import canonical_name
from contract.text import storable_json, storable_text
from contract.timestamps import ClockRules, event_time, parse_time, utc_text
from contract.validation import Limits, Problem, event_problem, json_type

LIMITS: Final = Limits(depth=64, string=1_000_000)
"""Wide: the collector's own limits are the policy, and they may be raised by variable."""
MAX_RAW_EVENT: Final = 100_000
"""Longest text of a rejected event that is kept, in characters; the raw object has it all."""
WHOLE_OBJECT: Final = -1
"""The position of a rejected object."""


class Row(NamedTuple):
    """A row of `clickstream_events`, ready for COPY: column names, texts, None for NULL."""

    event_id: str
    event_timestamp: str
    event_name: str
    user_id: str | None
    user_login_state: str | None
    identity_source: str | None
    client_id: str | None
    session_id: str | None
    is_first_visit: str | None
    context_product_id: str | None
    context_product_name: str | None
    context_product_category: str | None
    context_product_brand: str | None
    context_product_price: str | None
    context_product_discount_price: str | None
    context_product_url_path: str | None
    page_url: str | None
    referrer: str | None
    element: str | None
    identity_verified: str
    event_timestamp_source: str
    received_at: str
    source_object: str
    source_position: str


class Rejected(NamedTuple):
    """An event that cannot be a row; column names of `rejected_events`."""

    object_key: str
    position: int
    code: str
    reason: str
    raw_event: str


@dataclass(slots=True)
class Records:
    """What a raw object holds."""

    rows: list[Row] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0
    """Bytes of the object's text, unpacked."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What all events of a request share."""

    key: str
    received_at: datetime
    received_text: str
    request_id: str
    sent_at: object
    identity: Mapping[str, object] | None


def read_object(
    content: bytes, key: str, last_modified: datetime, rules: ClockRules, max_bytes: int
) -> Records:
    """Return the rows and rejected events of a raw object.

    `last_modified` is the time of receipt where the object does not say; `max_bytes` bounds what a
    compressed object may unpack to. Never raises for what an object holds: one that is no JSON is
    one rejected event at position -1.
    """
    records = Records(size=len(content))
    try:
        data = _unpacked(content, max_bytes)
        records.size = len(data)
        body = parse_json(data.decode("utf-8-sig"))
    except (BrokenGzip, TooLarge) as error:
        records.rejected.append(_unreadable(key, str(error), b""))
    except UnicodeDecodeError:
        records.rejected.append(_unreadable(key, "not UTF-8", content))
    except NotJson as error:
        records.rejected.append(_unreadable(key, f"not JSON: {error}", data))
    else:
        if not isinstance(body, dict | list):
            reason = f"{json_type(body)}, not events"
            records.rejected.append(_unreadable(key, reason, data))
            return records
        for position, (event, source) in enumerate(_events(body, key, last_modified)):
            problem = event_problem(event, LIMITS)
            if problem is not None:
                records.rejected.append(rejected_event(event, key, position, problem))
            elif isinstance(event, dict):
                records.rows.append(_row(event, position, source, rules))
    return records


def event_at(content: bytes, position: int, max_bytes: int) -> object:
    """Return the event at a position of a raw object that `read_object` has read before."""
    body = parse_json(_unpacked(content, max_bytes).decode("utf-8-sig"))
    events = _events(body, "", datetime.min.replace(tzinfo=UTC))
    return next(event for index, (event, _) in enumerate(events) if index == position)


def rejected_event(event: object, key: str, position: int, problem: Problem) -> Rejected:
    """Return the record of an event that cannot be a row."""
    try:
        text = canonical_json(event).decode("utf-8")[:MAX_RAW_EVENT]
    except NotJson as error:
        text = f"({error})"
    return Rejected(key, position, problem.code, problem.reason, text)


def _unreadable(key: str, reason: str, content: bytes) -> Rejected:
    text = storable_text(content[:MAX_RAW_EVENT].decode("utf-8", "replace"))
    return Rejected(key, WHOLE_OBJECT, "unreadable", reason, text)


def _unpacked(content: bytes, max_bytes: int) -> bytes:
    return gunzip(content, max_bytes) if content.startswith(MAGIC) else content


def _events(body: object, key: str, last_modified: datetime) -> Iterator[tuple[object, _Source]]:
    """Yield the events of a raw object, unchecked, each with what the collector says of it."""
    if isinstance(body, dict):
        batch = body.get("events")
        if isinstance(batch, list):
            source = _source(body, key, last_modified)
            for event in batch:
                yield event, source
            return
        body = [body]
    for event in body if isinstance(body, list) else ():
        holder = _mapping(event)
        as_sent = {name: value for name, value in holder.items() if name != "_ingest"}
        yield as_sent if isinstance(event, dict) else event, _source(holder, key, last_modified)


def _source(holder: Mapping[str, object], key: str, last_modified: datetime) -> _Source:
    """Read `_ingest`, and what stands beside `events` for all of them."""
    ingest = _mapping(holder.get("_ingest"))
    received_at = parse_time(ingest.get("receivedAt")) or last_modified
    request_id = ingest.get("requestId")
    identity = _mapping(ingest.get("identity"))
    return _Source(
        key=key,
        received_at=received_at,
        received_text=utc_text(received_at),
        # The key names the request where nothing else does: it is the same at every reading.
        request_id=request_id if isinstance(request_id, str) and request_id else key,
        sent_at=field_value(holder, SENT_AT),
        identity=identity if identity.get("verified") is True else None,
    )


def _row(event: Mapping[str, object], position: int, source: _Source, rules: ClockRules) -> Row:
    product = _mapping(event.get(PRODUCT.camel))
    sent_at = field_value(event, SENT_AT)
    moment, time_source = event_time(
        parse_time(field_value(event, EVENT_TIMESTAMP)),
        parse_time(source.sent_at if sent_at is None else sent_at),
        source.received_at,
        rules,
    )
    if source.identity is None:
        user_id = _text(event, USER_ID)
        login_state = _text(event, USER_LOGIN_STATE)
        identity_source = _text(event, IDENTITY_SOURCE)
    else:
        user_id = _text(source.identity, USER_ID)
        login_state = _text(source.identity, USER_LOGIN_STATE)
        identity_source = _text(source.identity, IDENTITY_SOURCE)
    first_visit = field_value(event, IS_FIRST_VISIT)
    return Row(
        event_id=client_event_id(event)
        or made_event_id(event, canonical_json(event), position, source.request_id),
        event_timestamp=utc_text(moment),
        event_name=canonical_name(storable_text(str(field_value(event, EVENT_NAME)))),
        user_id=user_id,
        user_login_state=login_state,
        identity_source=identity_source,
        client_id=_text(event, CLIENT_ID),
        session_id=_text(event, SESSION_ID),
        is_first_visit=None if first_visit is None else "t" if first_visit else "f",
        context_product_id=_text(product, PRODUCT_ID),
        context_product_name=_text(product, PRODUCT_NAME),
        context_product_category=_text(product, PRODUCT_CATEGORY),
        context_product_brand=_text(product, PRODUCT_BRAND),
        context_product_price=_text(product, PRODUCT_PRICE),
        context_product_discount_price=_text(product, PRODUCT_DISCOUNT_PRICE),
        context_product_url_path=_text(product, PRODUCT_URL_PATH),
        page_url=_text(event, PAGE_URL),
        referrer=_text(event, REFERRER),
        element=_element(event),
        identity_verified="f" if source.identity is None else "t",
        event_timestamp_source=time_source.value,
        received_at=source.received_text,
        source_object=source.key,
        source_position=str(position),
    )


def _text(source: Mapping[str, object], field_: Field) -> str | None:
    """Return a field as text; nothing and the empty text are both NULL."""
    value = field_value(source, field_)
    if isinstance(value, str):
        return storable_text(value) or None
    return None if value is None else str(value)


def _element(event: Mapping[str, object]) -> str | None:
    element = event.get(ELEMENT.camel)
    if not isinstance(element, dict) or not element:
        return None
    return canonical_json(storable_json(element)).decode("utf-8")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}
