"""A raw object -> rows as COPY text, and rejected events. Pure.

Four forms are read:

- the collector's: `{"events": [ ... ], "_ingest": { ... }}`, with any other keys
- one bare event, with `_ingest` among its fields
- a JSON array of events, each with its own `_ingest` or none
- events that the collector refused: `{"rejected": [ ... ], "_ingest": { ... }}`

An event's own `_ingest` counts only in the second and third form. In the collector's form the client wrote
it, and it is ignored.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import orjson

from contract.fields import SENT_AT, field_value
from contract.gzipped import MAGIC, BrokenGzip, TooLarge, gunzip
from contract.jsontext import NotJson, canonical_json, parse_json
from contract.text import storable_text
from contract.timestamps import ClockRules, clock_time
from contract.validation import Problem, event_problem, json_type, shape_problem
from etl.copytext import copy_line
from etl.fast_path import plain_line
from etl.row import LIMITS, Source, make_row, mapping, read_source

MAX_RAW_EVENT: Final = 100_000
"""How much of a rejected event's JSON is kept, in characters; the raw object has all of it."""
MAX_REFUSED: Final = 1 << 31
"""More refused events no object says."""
WHOLE_OBJECT: Final = -1
"""The position of a rejected object."""


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
    refused: int = 0
    """Events that the collector says it refused; `refused_kept` are those of them that it kept."""
    refused_kept: int = 0

    def read_refusals(self, body: Mapping[str, object]) -> None:
        """Take from a raw object in the collector's form what it says of refused events."""
        refusals = mapping(mapping(body.get("_ingest")).get("refusals"))
        events, kept = refusals.get("events"), refusals.get("kept")
        if type(events) is int and type(kept) is int and 0 <= kept <= events < MAX_REFUSED:
            self.refused, self.refused_kept = events, kept


def read_object(
    content: bytes,
    key: str,
    last_modified: datetime,
    rules: ClockRules,
    max_bytes: int,
    fast: bool = True,
) -> Records:
    """Return the rows and rejected events of a raw object.

    `last_modified` is the time of receipt where the object names none; `max_bytes` limits what a compressed
    object may unpack to. Never raises for anything an object holds: one that is not JSON is one rejected
    event at position -1. `fast=False` is for tests and measurements: the same result without the fast path.
    """
    records = Records(size=len(content))
    try:
        data = _unpacked(content, max_bytes)
    except (BrokenGzip, TooLarge) as error:
        records.rejected.append(_unreadable(key, str(error), b""))
        return records
    records.size = len(data)
    if not (fast and _read_usual(data, key, last_modified, rules, records)):
        _read_any(data, key, last_modified, rules, records)
    return records


def event_at(content: bytes, position: int, max_bytes: int) -> object:
    """Return the event at a position of a raw object that `read_object` has read before."""
    body = parse_json(_unpacked(content, max_bytes).decode("utf-8-sig"))
    events = _events(body, "", datetime.min.replace(tzinfo=UTC), ClockRules())
    return next(event for place, (event, _, _) in enumerate(events) if place == position)


def rejected_event(event: object, key: str, position: int, problem: Problem) -> Rejected:
    """Return the record of an event that cannot be a row."""
    try:
        text = canonical_json(event).decode("utf-8")[:MAX_RAW_EVENT]
    except NotJson as error:
        text = f"({error})"
    return Rejected(key, position, problem.code, problem.reason, text)


def _read_usual(data: bytes, key: str, last_modified: datetime, rules: ClockRules, records: Records) -> bool:
    """Add to `records` what `data` holds, or return False if it is not in the collector's form.

    Usual events take the fast path, the others the general one.
    """
    try:
        body = orjson.loads(data)
    except ValueError:
        return False
    if type(body) is not dict or type(body.get("events")) is not list:
        return False
    source = read_source(body, key, last_modified, rules)
    records.read_refusals(body)
    escaped = b"\\" in data
    # A text that is no longer than the limit holds no string that is.
    long = len(data) > LIMITS.string
    exact: list[object] | None = None
    for position, event in enumerate(body["events"]):
        if not long or shape_problem(event, LIMITS) is None:
            line = plain_line(event, position, source, escaped)
            if line is not None:
                records.lines.append((line[:36], line))
                continue
        if exact is None:
            # orjson reads whole numbers above 64 bits as floats: these events are parsed again, exactly.
            try:
                parsed: Any = parse_json(data.decode("utf-8"))
            except NotJson:
                # Python's parser gives up at a lower depth than orjson. The general path reports that.
                records.lines.clear()
                records.rejected.clear()
                return False
            exact = parsed["events"]
        _add_any(exact[position], position, position, source, records)
    return True


def _read_any(data: bytes, key: str, last_modified: datetime, rules: ClockRules, records: Records) -> None:
    """Add to `records` what `data` holds, in any of the four forms or none."""
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
    if isinstance(body, dict) and isinstance(body.get("events"), list):
        records.read_refusals(body)
    for position, (event, index, source) in enumerate(_events(body, key, last_modified, rules)):
        _add_any(event, position, index, source, records)


def _add_any(event: object, position: int, index: int, source: Source, records: Records) -> None:
    """Add an event's row to `records`, or the event as a rejected one."""
    problem = event_problem(event, LIMITS)
    if problem is not None:
        records.rejected.append(rejected_event(event, source.key, position, problem))
    elif isinstance(event, dict):
        row = make_row(event, position, index, source)
        records.lines.append((row.event_id, copy_line(row)))


def _events(
    body: object, key: str, last_modified: datetime, rules: ClockRules
) -> Iterator[tuple[object, int, Source]]:
    """Yield the events of a raw object, unchecked: event, index in its request, and its source."""
    if isinstance(body, dict):
        batch = body.get("events")
        refused = body.get("rejected")
        if isinstance(batch, list):
            source = read_source(body, key, last_modified, rules)
            for index, event in enumerate(batch):
                yield event, index, source
            return
        if isinstance(refused, list) and "_ingest" in body:
            source = read_source(body, key, last_modified, rules)
            for entry in refused:
                for event, index, sent_at in _refused_events(mapping(entry)):
                    yield event, index, replace(source, sent_at=sent_at) if sent_at is not None else source
            return
        body = [body]
    for index, event in enumerate(body if isinstance(body, list) else ()):
        holder = mapping(event)
        as_sent = {name: value for name, value in holder.items() if name != "_ingest"}
        source = read_source(holder, key, last_modified, rules)
        yield as_sent if isinstance(event, dict) else event, index, source


def _refused_events(entry: Mapping[str, object]) -> Iterator[tuple[object, int, timedelta | None]]:
    """Yield the events of an entry that the collector refused: one event, or a whole body as text.

    Each comes with its index in the request and, of a whole body, with the time at which it was sent.
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
            sent_at = clock_time(field_value(mapping(event), SENT_AT))
            for place, one in enumerate(body if isinstance(body, list) else [body]):
                yield one, place, sent_at
            return
    yield event, index if isinstance(index, int) else 0, None


def _unreadable(key: str, reason: str, content: bytes) -> Rejected:
    text = storable_text(content[:MAX_RAW_EVENT].decode("utf-8", "replace"))
    return Rejected(key, WHOLE_OBJECT, "unreadable", reason, text)


def _unpacked(content: bytes, max_bytes: int) -> bytes:
    return gunzip(content, max_bytes) if content.startswith(MAGIC) else content
