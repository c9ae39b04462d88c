"""The whole way from a request to its answer, given a function that stores an object."""

from __future__ import annotations

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from contract.identity import NAMESPACE
from ingest.answer import RequestProblem, Response, accepted, refused
from ingest.events import Sorted, read_batch, sort_events
from ingest.privacy import OBJECTION, anonymous, headers_object, objects
from ingest.raw import (
    StoredObject,
    ingest_metadata,
    raw_key,
    raw_object,
    refused_body,
    refused_event,
    refused_object,
    rejected_key,
)
from ingest.request import body_size, read_body, read_caller, read_identity
from ingest.settings import Settings

Store = Callable[[StoredObject], None]
"""Stores an object and returns once the storage has acknowledged it; raises StorageError."""


class StorageError(Exception):
    """The storage did not acknowledge an object."""


@dataclass(frozen=True, slots=True)
class Moment:
    """What the outside world gives to a request: the time of receipt (UTC) and fresh ids."""

    received_at: datetime
    object_id: str
    trace_id: str | None = None


@dataclass(slots=True)
class Outcome:
    """A request's answer and what is worth counting. No personal data."""

    response: Response
    accepted: int = 0
    rejected: int = 0
    body_bytes: int = 0
    codes: Counter[str] = field(default_factory=Counter)


def collect(event: Mapping[str, object], settings: Settings, moment: Moment, store: Store) -> Outcome:
    """Take a request: store its events and its refused events, and answer.

    Refused events are stored first. If a later write fails the client repeats the request, and
    then the refused ones are stored twice, where that does no harm. (So are events of a request in which
    only some deny consent; their ids are the same, if they have one or a timestamp.) Raises StorageError.
    """
    rule = settings.do_not_track
    size = body_size(event)
    caller = read_caller(event, settings, moment.trace_id)
    # Nor the ids of the request, by which its other events and the gateway's log would tell who it was.
    nobody = replace(caller, source_ip=None, user_agent=None, request_id="", trace_id=None)
    nameless = ingest_metadata(nobody, moment.received_at, None)
    objected = headers_object(event, rule)
    named = nameless if objected else ingest_metadata(caller, moment.received_at, None)
    try:
        if caller.method != "POST":
            raise RequestProblem(405, "method", f"method {caller.method[:20]!r} is not taken")
        identity = read_identity(event, settings)
        if not objected:
            named = ingest_metadata(caller, moment.received_at, identity)
        batch = read_batch(read_body(event, settings), settings)
    except RequestProblem as problem:
        if problem.body is not None and not objected:
            entry = refused_body(problem.code, problem.reason, problem.body, settings.max_rejected_bytes)
            _store_refused([entry], {}, named, settings, moment, store)
        response = refused(problem.status, problem.reason, problem.hint)
        return Outcome(response, body_bytes=size, codes=Counter([problem.code]))

    objected = objected or objects(batch.envelope, rule)
    result = sort_events(batch.values, caller.request_id, settings, objected)
    # What is refused is kept for a repair; of a sender who objects, nothing is.
    entries = [
        refused_event(refusal, batch.values[refusal.index], settings.max_rejected_bytes)
        for refusal in result.refusals
        if not objected and not objects(batch.values[refusal.index], rule)
    ]
    if entries:
        _store_refused(entries, batch.envelope, named, settings, moment, store)
    object_id = moment.object_id
    if result.named.texts:
        key = raw_key(moment.received_at, object_id)
        store(raw_object(key, result.named, batch.envelope, named, settings.compression))
    if result.anonymous.texts:
        if result.named.texts:
            # Those who object, in the same request, have an object of their own.
            object_id = str(uuid.uuid5(NAMESPACE, object_id))
        key = raw_key(moment.received_at, object_id)
        store(raw_object(key, result.anonymous, anonymous(batch.envelope), nameless, settings.compression))
    return _outcome(result, size)


def _store_refused(
    entries: list[bytes],
    envelope: dict[str, object],
    metadata: dict[str, object],
    settings: Settings,
    moment: Moment,
    store: Store,
) -> None:
    key = rejected_key(moment.received_at, moment.object_id)
    store(refused_object(key, entries, envelope, metadata, settings.compression))


def _outcome(result: Sorted, size: int) -> Outcome:
    codes = Counter(refusal.problem.code for refusal in result.refusals)
    if result.kept or any(refusal.problem is OBJECTION for refusal in result.refusals):
        response = accepted(result.kept, result.refusals)
    else:
        first = result.refusals[0].problem.reason
        response = refused(400, f"no event was taken: {first}", refusals=result.refusals)
    return Outcome(response, result.kept, len(result.refusals), size, codes)
