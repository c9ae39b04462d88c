"""From a request to its response, given a function that stores objects."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contract.identity import NAMESPACE
from contract.validation import Problem
from ingest.answer import RequestProblem, Response, accepted, refused
from ingest.events import Sorted, read_batch, sort_events
from ingest.privacy import OBJECTION, anonymous, headers_object, objects
from ingest.raw import (
    NONE_REFUSED,
    Refusals,
    StoredObject,
    ingest_metadata,
    raw_key,
    raw_object,
    refused_body,
    refused_event,
    refused_object,
    rejected_key,
)
from ingest.request import (
    body_size,
    check_format,
    check_origin,
    read_body,
    read_caller,
    read_identity,
    read_received_at,
)
from ingest.settings import Settings

Store = Callable[[StoredObject], bool | None]
"""Stores an object and returns when the storage has acknowledged it; raises StorageError.

False: it is one of refused events, and more than may be kept.
"""


class StorageError(Exception):
    """The storage did not acknowledge an object."""


@dataclass(frozen=True, slots=True)
class Moment:
    """When a request was received (UTC; what the gateway says goes before it), and new ids for it.

    `untold` is what was refused of requests before it, and no raw object says yet.
    """

    received_at: datetime
    object_id: str
    trace_id: str | None = None
    untold: Refusals = NONE_REFUSED


@dataclass(slots=True)
class Outcome:
    """A request's response, and the counts for metrics. No personal data."""

    response: Response
    accepted: int = 0
    rejected: int = 0
    body_bytes: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    untold: Refusals = NONE_REFUSED
    """What was refused until now, and no raw object says yet."""


def collect(event: Mapping[str, object], settings: Settings, moment: Moment, store: Store) -> Outcome:
    """Store the events of a request and its refused events, and return the response.

    Refused events are stored first. If a later write fails, the client repeats the request and they are
    stored twice, which does no harm. (So may be the events of a request in which only some deny consent: they
    get the same ids again, if they have an id or a timestamp.) Raises StorageError.
    """
    rule = settings.do_not_track
    size = body_size(event)
    moment = replace(moment, received_at=read_received_at(event, moment.received_at))
    caller = read_caller(event, settings, moment.trace_id)
    # Without the request's ids as well: they would lead to its other events and to the gateway's log.
    nobody = replace(caller, source_ip=None, user_agent=None, request_id="", trace_id=None)
    nameless = ingest_metadata(nobody, moment.received_at, None)
    objected = headers_object(event, rule)
    named = nameless if objected else ingest_metadata(caller, moment.received_at, None)
    try:
        check_format(event)
        if caller.method != "POST":
            raise RequestProblem(405, "method", f"method {caller.method[:20]!r} is not allowed")
        check_origin(event, settings)
        identity = read_identity(event, settings)
        if not objected:
            named = ingest_metadata(caller, moment.received_at, identity)
        batch = read_batch(read_body(event, settings), settings)
    except RequestProblem as problem:
        entries = []
        if problem.body is not None and not objected:
            entries.append(
                refused_body(problem.code, problem.reason, problem.body, settings.max_rejected_bytes)
            )
        untold = _store_refused(1, entries, {}, named, settings, moment, store)
        response = refused(problem.status, problem.reason, problem.hint)
        return Outcome(response, body_bytes=size, codes=Counter([problem.code]), untold=untold)

    objected = objected or objects(batch.envelope, rule)
    result = sort_events(batch.values, caller.request_id, settings, objected)
    # Refused events are kept so that they can be repaired, except those of senders who object.
    entries = []
    room = settings.max_rejected_bytes
    for refusal in result.refusals:
        if room > 0 and not objected and not objects(batch.values[refusal.index], rule):
            entries.append(refused_event(refusal, batch.values[refusal.index], room))
            room -= len(entries[-1])
    # Who objects does nothing wrong, and is not counted.
    faulty = sum(refusal.problem is not OBJECTION for refusal in result.refusals)
    untold = _store_refused(faulty, entries, batch.envelope, named, settings, moment, store)
    object_id = moment.object_id
    if result.named.texts:
        key = raw_key(moment.received_at, object_id)
        store(raw_object(key, result.named, batch.envelope, named, untold, settings.compression))
        untold = NONE_REFUSED
    if result.anonymous.texts:
        if result.named.texts:
            # Events of senders who object have an object of their own.
            object_id = str(uuid.uuid5(NAMESPACE, object_id))
        key = raw_key(moment.received_at, object_id)
        beside = anonymous(batch.envelope)
        store(raw_object(key, result.anonymous, beside, nameless, untold, settings.compression))
        untold = NONE_REFUSED
    return _outcome(result, batch.warnings, size, untold)


def _store_refused(
    refused_events: int,
    entries: list[bytes],
    envelope: dict[str, object],
    metadata: dict[str, object],
    settings: Settings,
    moment: Moment,
    store: Store,
) -> Refusals:
    """Store the entries of refused events, and return what no raw object says yet, these events with it."""
    kept = len(entries)
    if entries:
        key = rejected_key(moment.received_at, moment.object_id)
        if store(refused_object(key, entries, envelope, metadata, settings.compression)) is False:
            kept = 0
    return Refusals(moment.untold.events + refused_events, moment.untold.kept + kept)


def _outcome(result: Sorted, warnings: list[Problem], size: int, untold: Refusals) -> Outcome:
    codes = Counter(refusal.problem.code for refusal in result.refusals)
    if result.kept or any(refusal.problem is OBJECTION for refusal in result.refusals):
        response = accepted(result.kept, result.refusals, warnings)
    else:
        first = result.refusals[0].problem.reason
        response = refused(400, f"no event was accepted: {first}", "", result.refusals, warnings)
    return Outcome(response, result.kept, len(result.refusals), size, codes, untold)
