"""The whole run: what is read, when it is loaded, when to stop, and what is answered."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import groupby
from typing import Final, TypedDict

from contract.timestamps import ClockRules
from contract.validation import Problem
from etl.payload import Selection, hour_folder
from etl.reading import Read, read_ahead
from etl.records import event_at, read_object, rejected_event
from etl.settings import Tuning
from etl.store import ObjectGone, ObjectInfo, Store
from etl.warehouse import Chunk, Counts, Unloadable, Warehouse

REPORTED_FAILURES: Final = 10
"""How many failures an answer lists; all are in `etl_object_failures`."""
HOUR_KEYS: Final = 100_000
"""Keys of one hour that are held to compare it with its closed ledger; a larger hour is read."""
LISTED_PAGE: Final = 1000
"""Keys that are looked up in the ledger at once."""
TURN: Final = 0.0005
"""Seconds for which a thread may keep the interpreter while others wait. The one that loads needs it for a
moment between any two things that PostgreSQL does; the one that parses would keep it for Python's 5 ms."""
_HOUR: Final = len("events/2025/12/06/05")


class ObjectCounts(TypedDict):
    """listed = skipped + read + failed + left."""

    listed: int
    skipped: int
    read: int
    failed: int
    left: int


class EventCounts(TypedDict):
    """read = loaded + duplicate + rejected."""

    read: int
    loaded: int
    duplicate: int
    rejected: int


class Answer(TypedDict, total=False):
    """What a run answers.

    `next` is the payload that continues an incomplete run. `listed_from` is where the watermark let
    the listing begin: what was put into an older hour since is loaded by asking for its prefix.
    """

    status: str
    listed_from: str
    objects: ObjectCounts
    events: EventCounts
    seconds: float
    failures: list[dict[str, str]]
    next: dict[str, object]


class NothingRead(Exception):
    """There was something to read and all of it failed: the run must not pass for a success."""


@dataclass(slots=True)
class _Progress:
    """What a run has seen."""

    listed: int = 0
    skipped: int = 0
    failures: list[dict[str, str]] = field(default_factory=list)
    listed_from: str | None = None
    again: set[str] = field(default_factory=set)
    """Objects under way that may have been loaded before."""
    reached: str = ""
    """The last key that was listed and looked at."""
    pending: dict[str, str] = field(default_factory=dict)
    """Listed objects under way, in their order: key -> the key that was reached before it."""
    out_of_time: bool = False

    @property
    def done(self) -> str:
        """The key up to which every listed object is loaded, skipped or reported."""
        return next(iter(self.pending.values()), self.reached)

    def take(self, key: str) -> None:
        """Note that an object is under way."""
        self.pending[key] = self.reached
        self.reached = key

    def settle(self, keys: Iterable[str]) -> None:
        """Note that objects are loaded or reported."""
        for key in keys:
            self.pending.pop(key, None)


def run(
    store: Store,
    warehouse: Warehouse,
    selection: Selection,
    payload: Mapping[str, object],
    tuning: Tuning,
    rules: ClockRules,
    seconds_left: Callable[[], float],
    now: datetime,
) -> Answer:
    """Load what `selection` selects, until it is done or `seconds_left()` reaches 0.

    `warehouse` is open and holds the lock. Raises NothingRead if every object failed, and what
    S3 or PostgreSQL raise for faults that did not pass; what was loaded before is committed.
    """
    started = time.monotonic()
    warehouse.start_run(payload)
    progress = _Progress(reached=selection.after)
    boundary = hour_folder(now - tuning.look_back)
    try:
        counts, finished = _load_all(store, warehouse, selection, tuning, rules, seconds_left, progress)
    except Exception:
        warehouse.fail_run()
        raise
    left = progress.listed - counts.objects_skipped - counts.objects_read - counts.objects_failed
    counts = replace(counts, objects_left=left)
    nothing_read = counts.objects_failed > 0 and counts.objects_read == 0
    status = "failed" if nothing_read else "complete" if finished else "incomplete"
    if status != "failed" and selection.arrived and not selection.after:
        # Everything up to now was listed, so nothing before the boundary is missing; or everything up to
        # where it ended, and the next run need not begin anew.
        if finished:
            warehouse.move_watermark(boundary)
            warehouse.close_hours(boundary)
        else:
            warehouse.move_watermark(min(boundary, progress.done[:_HOUR]))
    if status == "complete" and tuning.retention_days is not None:
        while warehouse.drop_expired(tuning.retention_days) and seconds_left() > 0:
            pass
    warehouse.finish_run(status, counts)
    if nothing_read:
        raise NothingRead(
            f"None of {counts.objects_failed} raw objects could be read; the first: "
            f"{progress.failures[0]['error']}"
        )
    answer = _answer(status, counts, progress.failures, time.monotonic() - started)
    if progress.listed_from is not None:
        answer["listed_from"] = progress.listed_from
    if not finished:
        answer["next"] = {**payload, "after": progress.done}
    return answer


def busy_answer() -> Answer:
    """Return the answer of a run that found another one at work."""
    return _answer("busy", Counts(), [], 0.0)


def _load_all(
    store: Store,
    warehouse: Warehouse,
    selection: Selection,
    tuning: Tuning,
    rules: ClockRules,
    seconds_left: Callable[[], float],
    progress: _Progress,
) -> tuple[Counts, bool]:
    """Load chunk after chunk; return the counts and whether everything was reached."""
    sys.setswitchinterval(TURN)
    counts = Counts()
    chunk = Chunk()
    reads = read_ahead(
        store,
        _waiting(store, warehouse, selection, seconds_left, progress),
        tuning.readers,
        tuning.chunk_bytes,
        tuning.max_object_bytes,
    )
    # One chunk is loaded while the next one is read.
    with ThreadPoolExecutor(1, thread_name_prefix="load") as loader:
        loading: Future[Counts] | None = None
        for read in reads:
            if seconds_left() <= 0:
                progress.out_of_time = True
                reads.close()
                break
            _add(chunk, read, rules, tuning, progress)
            if _is_full(chunk, tuning):
                chunk.finish()
                counts = counts if loading is None else loading.result()
                counts = _seen(counts, progress)
                loading = loader.submit(_load, store, warehouse, chunk, counts, tuning, progress)
                chunk = Chunk()
        counts = counts if loading is None else loading.result()
        if not chunk.is_empty():
            counts = _load(store, warehouse, chunk, _seen(counts, progress), tuning, progress)
    return _seen(counts, progress), not progress.out_of_time


def _is_full(chunk: Chunk, tuning: Tuning) -> bool:
    return (
        len(chunk.lines) >= tuning.chunk_events
        or len(chunk.objects) + len(chunk.failures) >= tuning.chunk_objects
        or chunk.size >= tuning.chunk_bytes
    )


def _seen(counts: Counts, progress: _Progress) -> Counts:
    return replace(counts, objects_listed=progress.listed, objects_skipped=progress.skipped)


def _load(
    store: Store, warehouse: Warehouse, chunk: Chunk, before: Counts, tuning: Tuning, progress: _Progress
) -> Counts:
    try:
        loaded = warehouse.load(chunk, before)
    except Unloadable as refusal:
        _move_to_rejected(store, chunk, refusal, tuning)
        loaded = warehouse.load(chunk, before)
    progress.settle([*chunk.objects, *chunk.failures])
    return loaded


def _move_to_rejected(store: Store, chunk: Chunk, refusal: Unloadable, tuning: Tuning) -> None:
    """Make rejected events of the rows that PostgreSQL refuses, with their raw JSON."""
    chunk.drop(row.event_id for row, _ in refusal.rows)
    for row, reason in refusal.rows:
        position = int(row.source_position)
        event = event_at(store.get(row.source_object), position, tuning.max_object_bytes)
        problem = Problem("refused_by_database", reason)
        chunk.rejected.append(rejected_event(event, row.source_object, position, problem))


def _waiting(
    store: Store,
    warehouse: Warehouse,
    selection: Selection,
    seconds_left: Callable[[], float],
    progress: _Progress,
) -> Iterator[ObjectInfo]:
    """Yield the selected objects that the ledger does not have, while there is time."""
    if selection.replay:
        for info in _again(store, warehouse, warehouse.rejected_keys(selection.after), progress):
            progress.take(info.key)
            yield info
        return
    listed_from = warehouse.listed_from()
    if selection.arrived:
        progress.listed_from = listed_from
        if not selection.after:
            yield from _again(store, warehouse, warehouse.old_failures(listed_from), progress)
        selection = replace(selection, after=max(selection.after, listed_from))
    progress.reached = selection.after
    pages = _counted(store.pages(selection), seconds_left, progress)
    if not selection.reprocess:
        pages = _without_closed(pages, warehouse, listed_from, progress)
    for page in pages:
        known = warehouse.known([info.key for info in page])
        for info in page:
            if known.get(info.key) == info.etag and not selection.reprocess:
                progress.skipped += 1
                progress.reached = info.key
                continue
            # Before the watermark the ledger has no detail.
            if selection.reprocess or info.key in known or info.key < listed_from:
                progress.again.add(info.key)
            progress.take(info.key)
            yield info


def _counted(
    pages: Iterable[list[ObjectInfo]], seconds_left: Callable[[], float], progress: _Progress
) -> Iterator[list[ObjectInfo]]:
    """Count what is listed, and end when there is no time: where all is loaded no object is ever read."""
    for page in pages:
        progress.listed += len(page)
        yield page
        if seconds_left() <= 0:
            progress.out_of_time = True
            return


def _without_closed(
    pages: Iterable[list[ObjectInfo]], warehouse: Warehouse, listed_from: str, progress: _Progress
) -> Iterator[list[ObjectInfo]]:
    """Leave out the closed hours whose listing is what the ledger says of them."""
    hours = groupby((info for page in pages for info in page), lambda info: info.key[:_HOUR])
    page: list[ObjectInfo] = []
    for hour, infos in hours:
        closed = warehouse.closed_hour(hour) if hour < listed_from else None
        held: list[ObjectInfo] = []
        for info in infos:
            held.append(info)
            if closed is None or len(held) > HOUR_KEYS:
                page += held
                held = []
                closed = None
            if len(page) >= LISTED_PAGE:
                yield page
                page = []
        if closed is not None and closed == (len(held), keys_hash(held)):
            # What stands before the hour first: keys are reached in their order.
            yield page
            page = []
            progress.skipped += len(held)
            progress.reached = held[-1].key
        else:
            page += held
    yield page


def keys_hash(infos: Iterable[ObjectInfo]) -> int:
    """Return the hash of keys and ETags as `etl_closed_hours` has it."""
    total = 0
    for info in infos:
        digest = hashlib.md5(f"{info.key} {info.etag}".encode(), usedforsecurity=False).hexdigest()
        total += int(digest[:15], 16)
    return total


def _again(
    store: Store, warehouse: Warehouse, keys: Iterable[str], progress: _Progress
) -> Iterator[ObjectInfo]:
    """Yield objects that the listing does not reach, or not now."""
    for key in keys:
        info = store.find(key)
        if info is None:
            warehouse.forget_failure(key)
        else:
            progress.listed += 1
            progress.again.add(key)
            yield info


def _add(chunk: Chunk, read: Read, rules: ClockRules, tuning: Tuning, progress: _Progress) -> None:
    info = read.info
    if read.content is None:
        if isinstance(read.error, ObjectGone):
            progress.skipped += 1
            progress.settle([info.key])
            return
        error = str(read.error)
        chunk.failures[info.key] = error
        if len(progress.failures) < REPORTED_FAILURES:
            progress.failures.append({"key": info.key, "error": error})
        return
    records = read_object(read.content, info.key, info.last_modified, rules, tuning.max_object_bytes)
    chunk.objects[info.key] = info.etag
    if info.key in progress.again:
        progress.again.remove(info.key)
        chunk.again.append(info.key)
    for event_id, line in records.lines:
        chunk.add(event_id, line)
    chunk.rejected += records.rejected
    chunk.size += records.size


def _answer(status: str, counts: Counts, failures: list[dict[str, str]], seconds: float) -> Answer:
    return {
        "status": status,
        "objects": {
            "listed": counts.objects_listed,
            "skipped": counts.objects_skipped,
            "read": counts.objects_read,
            "failed": counts.objects_failed,
            "left": counts.objects_left,
        },
        "events": {
            "read": counts.events_loaded + counts.events_duplicate + counts.events_rejected,
            "loaded": counts.events_loaded,
            "duplicate": counts.events_duplicate,
            "rejected": counts.events_rejected,
        },
        "seconds": round(seconds, 3),
        "failures": failures,
    }
