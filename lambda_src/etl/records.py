"""A raw object -> rows as COPY text, and rejected events. Pure.

Four forms are read:

- the collector's: `{"events": [ ... ], "_ingest": { ... }}`, other keys beside them
- one bare event, with `_ingest` among its fields
- a JSON array of events, each with its own `_ingest` or none
- what the collector refused, to be judged again: `{"rejected": [ ... ], "_ingest": { ... }}`

Only in the last two may an event speak of `_ingest` itself: in the collector's form such a field is
the client's word, and it does not count.

An event as the tracker sends it takes a short way: `_plain_line`, a quarter of the time. It knows
only what is common (camelCase, values of the usual types, nothing to escape) and gives up on
everything else; what it gives up on takes the whole way, which defines what a row is. A property test
holds the two to the same rows.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

import orjson

from contract.fields import (
    CLIENT_ID,
    ELEMENT,
    EVENT_FIELDS,
    EVENT_NAME,
    EVENT_TIMESTAMP,
    IDENTITY_SOURCE,
    IS_FIRST_VISIT,
    PAGE_URL,
    PRODUCT,
    PRODUCT_BRAND,
    PRODUCT_CATEGORY,
    PRODUCT_DISCOUNT_PRICE,
    PRODUCT_FIELDS,
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
from contract.identity import client_event_id, made_event_id, valid_uuid
from contract.jsontext import NotJson, canonical_json, parse_json
from contract.names import canonical_name
from contract.text import storable_json, storable_text
from contract.timestamps import ClockRules, event_time, parse_time, utc_text
from contract.validation import (
    LOGIN_STATES,
    MAX_NAME,
    MAX_PRICE,
    Limits,
    Problem,
    event_problem,
    json_type,
    shape_problem,
)
from etl.bots import names_bot
from etl.copytext import NULL, TAB, copy_line, copy_value, copy_values

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
    is_bot: str
    received_at: str
    source_object: str
    source_position: str

    @classmethod
    def of_line(cls, line: str) -> Row:
        """Return the row that a line of COPY text holds."""
        return cls(*copy_values(line))  # type: ignore[arg-type]  # NOT NULL columns are texts

    def rank(self) -> tuple[str, str, int]:
        """Return what decides which of several copies of an event was accepted first."""
        return self.received_at, self.source_object, int(self.source_position)


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

    lines: list[tuple[str, str]] = field(default_factory=list)
    """Rows: event id, and the row as a line of COPY text in the order of `Row`."""
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0
    """Bytes of the object's text, unpacked."""


@dataclass(frozen=True, slots=True)
class _Source:
    """What all events of a request share; texts as in `Row`, in COPY's form where that is said."""

    key: str
    received_at: datetime
    request_id: str
    sent_at: datetime | None
    identity: tuple[str | None, ...] | None
    """Verified user id, login state and identity source; None on the open route."""
    is_bot: str
    end: str
    """The last columns but the position (COPY text)."""


def read_object(
    content: bytes,
    key: str,
    last_modified: datetime,
    rules: ClockRules,
    max_bytes: int,
    short_way: bool = True,
) -> Records:
    """Return the rows and rejected events of a raw object.

    `last_modified` is the time of receipt where the object does not say; `max_bytes` bounds what a
    compressed object may unpack to. Never raises for what an object holds: one that is no JSON is
    one rejected event at position -1. `short_way` is for tests: without it the same takes longer.
    """
    records = Records(size=len(content))
    try:
        data = _unpacked(content, max_bytes)
    except (BrokenGzip, TooLarge) as error:
        records.rejected.append(_unreadable(key, str(error), b""))
        return records
    records.size = len(data)
    if not (short_way and _read_plain(data, key, last_modified, rules, records)):
        _read_any(data, key, last_modified, rules, records)
    return records


def _read_any(data: bytes, key: str, last_modified: datetime, rules: ClockRules, records: Records) -> None:
    """Add to `records` what `data` holds, whatever that is."""
    try:
        body = parse_json(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        records.rejected.append(_unreadable(key, "not UTF-8", data))
        return
    except NotJson as error:
        records.rejected.append(_unreadable(key, f"not JSON: {error}", data))
        return
    if not isinstance(body, dict | list):
        reason = f"{json_type(body)}, not events"
        records.rejected.append(_unreadable(key, reason, data))
        return
    for position, (event, index, source) in enumerate(_events(body, key, last_modified)):
        _add_any(event, position, index, source, rules, records)


def _add_any(
    event: object, position: int, index: int, source: _Source, rules: ClockRules, records: Records
) -> None:
    problem = event_problem(event, LIMITS)
    if problem is not None:
        records.rejected.append(rejected_event(event, source.key, position, problem))
    elif isinstance(event, dict):
        row = _row(event, position, index, source, rules)
        records.lines.append((row.event_id, copy_line(row)))


def _read_plain(data: bytes, key: str, last_modified: datetime, rules: ClockRules, records: Records) -> bool:
    """Add to `records` what `data` holds, or return False if it is not the collector's usual form."""
    try:
        body = orjson.loads(data)
    except ValueError:
        return False
    if type(body) is not dict or type(body.get("events")) is not list:
        return False
    source = _source(body, key, last_modified)
    escaped = b"\\" in data
    # A shorter text holds no string that is too long.
    long = len(data) > LIMITS.string
    exact: list[object] | None = None
    for position, event in enumerate(body["events"]):
        if not long or shape_problem(event, LIMITS) is None:
            line = _plain_line(event, position, source, rules, escaped)
            if line is not None:
                records.lines.append((line[:36], line))
                continue
        if exact is None:
            # orjson makes floats of whole numbers above 64 bits: what is not plain is read exactly.
            try:
                parsed: Any = parse_json(data.decode("utf-8"))
            except NotJson:
                # Python's parser does not follow as deep as orjson: the whole way judges the object.
                records.lines.clear()
                records.rejected.clear()
                return False
            exact = parsed["events"]
        _add_any(exact[position], position, position, source, rules, records)
    return True


_TEXTS: Final = tuple(
    item.camel
    for item in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE, CLIENT_ID, SESSION_ID, PAGE_URL, REFERRER)
)
_PRODUCT_TEXTS: Final = tuple(
    item.camel for item in (PRODUCT_ID, PRODUCT_NAME, PRODUCT_CATEGORY, PRODUCT_BRAND, PRODUCT_URL_PATH)
)
_OTHER_SPELLINGS: Final = frozenset(
    item.snake for item in EVENT_FIELDS + PRODUCT_FIELDS if item.snake != item.camel
)
"""Of these `_plain_line` knows nothing."""
_NOTHING: Final = type(None)
_TEXT_OR_NOTHING: Final = frozenset({str, _NOTHING})
_FLAT: Final = frozenset({str, int, bool, _NOTHING})
_FLAT_OR_FLOAT: Final = _FLAT | {float}
_PLAIN_STATES: Final = LOGIN_STATES | {None}
_NO_PRODUCT: Final = (NULL,) * 7
_INNER_LIMITS: Final = Limits(LIMITS.depth - 1, LIMITS.string)
_TABS: Final = len(Row._fields) - 1
_ESCAPED: Final = re.compile("[\\\\\r\n\x00]")


def _plain_line(event: Any, position: int, source: _Source, rules: ClockRules, escaped: bool) -> str | None:
    """Return the row of an event as COPY text, or None for everything that is out of the ordinary.

    `event` is what orjson read. `escaped`: its text holds backslashes, so values may hold anything.
    """
    if type(event) is not dict or not event.keys().isdisjoint(_OTHER_SPELLINGS):
        return None
    get = event.get
    event_id = valid_uuid(get("eventId")) or valid_uuid(get("event_id"))
    name = get("eventName")
    if event_id is None or type(name) is not str or len(name) > MAX_NAME:
        return None
    name = canonical_name(name)
    texts = list(map(get, _TEXTS))
    if not name or not _TEXT_OR_NOTHING.issuperset(map(type, texts)) or texts[1] not in _PLAIN_STATES:
        return None
    user_id, state, identity_source, client_id, session_id, page_url, referrer = [
        value or NULL for value in texts
    ]
    if source.identity is not None:
        user_id, state, identity_source = (copy_value(value) for value in source.identity)
    first_visit = get("isFirstVisit")
    if first_visit is not None and type(first_visit) is not bool:
        return None
    times: list[datetime | None] = []
    for text in (get("eventTimestamp"), get("sentAt")):
        time = None if text is None else parse_time(text)
        if time is None and text is not None:
            return None
        times.append(time)
    moment, time_source = event_time(times[0], times[1] or source.sent_at, source.received_at, rules)
    product: tuple[str, ...] | None = _NO_PRODUCT
    element: str | None = NULL
    if not _FLAT_OR_FLOAT.issuperset(map(type, event.values())):
        for field_name, value in event.items():
            if type(value) is not dict and type(value) is not list:
                continue
            if field_name == PRODUCT.camel:
                product = _plain_product(value)
            elif field_name == ELEMENT.camel:
                element = _plain_element(value)
            elif shape_problem(value, _INNER_LIMITS) is not None:
                return None
    if product is None or element is None:
        return None
    if (product is _NO_PRODUCT and get("product") is not None) or (
        element is NULL and type(get("element")) not in (dict, _NOTHING)
    ):
        return None
    visit = NULL if first_visit is None else "t" if first_visit else "f"
    line = (
        f"{event_id}\t{utc_text(moment)}\t{name}\t{user_id}\t{state}\t{identity_source}\t{client_id}\t"
        f"{session_id}\t{visit}\t{TAB.join(product)}\t{page_url}\t{referrer}\t{element}\t"
        f"{'f' if source.identity is None else 't'}\t{time_source.value}\t{source.end}{position}\n"
    )
    # Without a backslash in the JSON no value holds one, nor a control character.
    if escaped and (line.count(TAB) != _TABS or _ESCAPED.search(line, 0, len(line) - 1)):
        return None
    return line


def _plain_product(product: Any) -> tuple[str, ...] | None:
    """Return the seven columns of a product, or None for everything out of the ordinary."""
    if type(product) is not dict or not product.keys().isdisjoint(_OTHER_SPELLINGS):
        return None
    if not _FLAT_OR_FLOAT.issuperset(map(type, product.values())):
        return None
    get = product.get
    texts = list(map(get, _PRODUCT_TEXTS))
    prices: list[str] = []
    if not _TEXT_OR_NOTHING.issuperset(map(type, texts)):
        return None
    for price in (get("price"), get("discountPrice")):
        if price is None:
            prices.append(NULL)
        elif type(price) in (int, float) and 0 <= price < MAX_PRICE:
            prices.append(str(price))
        else:
            return None
    product_id, name, category, brand, url_path = [text or NULL for text in texts]
    return product_id, name, category, brand, prices[0], prices[1], url_path


def _plain_element(element: Any) -> str | None:
    """Return an element as JSON, or None for everything out of the ordinary.

    A float may have been a whole number above 64 bits; so it is out of the ordinary too.
    """
    if type(element) is not dict:
        return None
    if not element:
        return NULL
    for value in element.values():
        if type(value) is dict:
            if not _FLAT.issuperset(map(type, value.values())):
                return None
        elif type(value) not in _FLAT:
            return None
    return orjson.dumps(element, option=orjson.OPT_SORT_KEYS).decode("utf-8")


def event_at(content: bytes, position: int, max_bytes: int) -> object:
    """Return the event at a position of a raw object that `read_object` has read before."""
    body = parse_json(_unpacked(content, max_bytes).decode("utf-8-sig"))
    events = _events(body, "", datetime.min.replace(tzinfo=UTC))
    return next(event for place, (event, _, _) in enumerate(events) if place == position)


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


def _events(body: object, key: str, last_modified: datetime) -> Iterator[tuple[object, int, _Source]]:
    """Yield the events of a raw object, unchecked: event, index in its request, and its source."""
    if isinstance(body, dict):
        batch = body.get("events")
        refused = body.get("rejected")
        if isinstance(batch, list):
            source = _source(body, key, last_modified)
            for index, event in enumerate(batch):
                yield event, index, source
            return
        if isinstance(refused, list) and "_ingest" in body:
            source = _source(body, key, last_modified)
            for entry in refused:
                for event, index, sent_at in _refused_events(_mapping(entry)):
                    yield event, index, replace(source, sent_at=sent_at) if sent_at else source
            return
        body = [body]
    for index, event in enumerate(body if isinstance(body, list) else ()):
        holder = _mapping(event)
        as_sent = {name: value for name, value in holder.items() if name != "_ingest"}
        yield as_sent if isinstance(event, dict) else event, index, _source(holder, key, last_modified)


def _refused_events(entry: Mapping[str, object]) -> Iterator[tuple[object, int, datetime | None]]:
    """Yield what an entry of the collector's refusals holds: an event, or a body as text.

    With its index in the request, and with what a whole body says of when it was sent.
    """
    index = entry.get("index")
    event = entry.get("event", entry.get("text", entry.get("base64")))
    if isinstance(event, str):
        try:
            event = parse_json(event)
        except NotJson:
            yield event, 0, None
            return
        if not isinstance(index, int):
            body = event.get("events", [event]) if isinstance(event, dict) else event
            sent_at = parse_time(field_value(_mapping(event), SENT_AT))
            for place, one in enumerate(body if isinstance(body, list) else [body]):
                yield one, place, sent_at
            return
    yield event, index if isinstance(index, int) else 0, None


def _source(holder: Mapping[str, object], key: str, last_modified: datetime) -> _Source:
    """Read `_ingest`, and what stands beside `events` for all of them."""
    ingest = _mapping(holder.get("_ingest"))
    received_at = parse_time(ingest.get("receivedAt")) or last_modified
    request_id = ingest.get("requestId")
    identity = _mapping(ingest.get("identity"))
    agent = ingest.get("userAgent")
    is_bot = "t" if isinstance(agent, str) and names_bot(agent) else "f"
    verified = None
    if identity.get("verified") is True:
        verified = tuple(_text(identity, item) for item in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE))
    return _Source(
        key=key,
        received_at=received_at,
        # The key names the request where nothing else does: it is the same at every reading.
        request_id=request_id if isinstance(request_id, str) and request_id else key,
        sent_at=parse_time(field_value(holder, SENT_AT)),
        identity=verified,
        is_bot=is_bot,
        end=copy_line((is_bot, utc_text(received_at), key, ""))[:-1],
    )


def _row(event: Mapping[str, object], position: int, index: int, source: _Source, rules: ClockRules) -> Row:
    product = _mapping(event.get(PRODUCT.camel))
    sent_at = field_value(event, SENT_AT)
    moment, time_source = event_time(
        parse_time(field_value(event, EVENT_TIMESTAMP)),
        source.sent_at if sent_at is None else parse_time(sent_at),
        source.received_at,
        rules,
    )
    identity = source.identity or tuple(
        _text(event, item) for item in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE)
    )
    first_visit = field_value(event, IS_FIRST_VISIT)
    return Row(
        event_id=client_event_id(event)
        or made_event_id(event, canonical_json(event), index, source.request_id),
        event_timestamp=utc_text(moment),
        event_name=canonical_name(storable_text(str(field_value(event, EVENT_NAME)))),
        user_id=identity[0],
        user_login_state=identity[1],
        identity_source=identity[2],
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
        is_bot=source.is_bot,
        received_at=utc_text(source.received_at),
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
