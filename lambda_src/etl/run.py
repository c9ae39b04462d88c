"""The whole run: what is read, when it is loaded, when to stop, and what is answered."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from contract.timestamps import ClockRules
from contract.validation import Problem
from etl.answer import Answer, make_answer
from etl.chunk import Chunk, Part
from etl.listing import Listing
from etl.payload import Selection, hour_folder
from etl.progress import Progress
from etl.reading import Read, read_ahead
from etl.records import event_at, read_object, rejected_event
from etl.settings import Tuning
from etl.store import ObjectGone, ReadError, Store
from etl.warehouse import ChunkFailed, Counts, RowsRefused, Warehouse

SWITCH_INTERVAL: Final = 0.0005
"""Seconds for which a thread may keep the interpreter while others wait for it.

The thread that loads needs it only for moments between PostgreSQL's answers. The thread that parses would
keep it for 5 ms, Python's default."""


SHARE_OF_A_CHUNK: Final = 1 / 8
"""A smaller chunk has less time, in proportion to its events and objects, but not less than this share."""
SHARE_OF_A_RUN: Final = 1 / 4
"""How much of a run's whole time a chunk may have: else it would only ever end with the run."""
GRACE: Final = timedelta(seconds=5)
"""How long before the function is ended its last statement must be."""
FAILED_RETRIES: Final = 10
"""After how many objects that fail again a run tries no more of those set aside."""


class NothingRead(Exception):
    """There were objects to read and all of them failed: the run must not look like a success."""


@dataclass(slots=True)
class Run:
    """One run of the loader. `warehouse` is open, so no other run loads meanwhile."""

    store: Store
    warehouse: Warehouse
    selection: Selection
    tuning: Tuning
    rules: ClockRules
    seconds_left: Callable[[], float]
    """What remains of the run's time; at 0 it stops."""
    progress: Progress = field(default_factory=Progress)
    _chunk_seconds: float = 0.0
    """How long a statement of a full chunk may take."""

    def load(self, payload: Mapping[str, object], now: datetime) -> Answer:
        """Load what `selection` selects, until it is done or the time is over.

        `payload` is what the run was called with. Raises NothingRead if every object failed, and the
        errors of S3 and PostgreSQL that outlast the retries; what was loaded before is committed.
        """
        started = time.monotonic()
        self._chunk_seconds = min(
            self.tuning.chunk_time.total_seconds(), self._seconds_until_the_end() * SHARE_OF_A_RUN
        )
        self.warehouse.start_run(payload)
        listing = Listing(self.store, self.warehouse, self.selection, self.seconds_left, self.progress)
        try:
            counts = self._load_all(listing)
            if self.selection.arrived and not self.selection.after:
                counts = self._with_listed(self._retry_set_aside(listing, counts))
        except Exception:
            self.warehouse.fail_run()
            raise
        status = self._status(counts)
        if status != "failed":
            listing.move_watermark(hour_folder(now - self.tuning.look_back))
        if status == "complete":
            self._drop_expired()
        self.warehouse.finish_run(status, counts)
        failures = self.progress.failures
        if status == "failed":
            number, error = counts.objects_failed, failures[0]["error"]
            raise NothingRead(f"None of {number} raw objects could be read; the first: {error}")
        answer = make_answer(
            status, counts, failures, time.monotonic() - started, self.warehouse.count_set_aside()
        )
        if self.progress.listed_from is not None:
            answer["listed_from"] = self.progress.listed_from
        if status == "incomplete":
            answer["next"] = {**payload, "after": self.progress.done}
        return answer

    def _status(self, counts: Counts) -> str:
        if counts.objects_failed > self.progress.set_aside and counts.objects_read == 0:
            return "failed"
        return "incomplete" if self.progress.out_of_time else "complete"

    def _drop_expired(self) -> None:
        days = self.tuning.retention_days
        while days is not None and self.warehouse.drop_expired(days) and self.seconds_left() > 0:
            pass

    def _load_all(self, listing: Listing) -> Counts:
        """Load chunk after chunk, each while the next one is read; return the run's counts."""
        sys.setswitchinterval(SWITCH_INTERVAL)
        tuning = self.tuning
        counts = Counts()
        chunk = Chunk()
        reads = read_ahead(
            self.store, listing.waiting(), tuning.readers, tuning.chunk_bytes, tuning.max_object_bytes
        )
        with ThreadPoolExecutor(1, thread_name_prefix="load") as loader:
            loading: Future[Counts] | None = None
            for read in reads:
                if self._is_over():
                    reads.close()
                    break
                self._add(chunk, read)
                if self._is_full(chunk):
                    chunk.make_texts()
                    counts = counts if loading is None else loading.result()
                    if self.progress.cut_off:
                        reads.close()
                        break
                    loading = loader.submit(self._load_chunk, chunk, self._with_listed(counts))
                    chunk = Chunk()
            counts = counts if loading is None else loading.result()
            if not chunk.is_empty() and not self.progress.cut_off:
                counts = self._load_chunk(chunk, self._with_listed(counts))
        counts = self._with_listed(counts)
        settled = counts.objects_skipped + counts.objects_read + counts.objects_failed
        return replace(counts, objects_left=counts.objects_listed - settled)

    def _add(self, chunk: Chunk, read: Read) -> None:
        """Add an object that was read, or that could not be, to a chunk."""
        info, progress = read.info, self.progress
        if read.content is None:
            if isinstance(read.error, ObjectGone):
                progress.skipped += 1
                progress.settle([info.key])
                return
            chunk.failures[info.key] = str(read.error)
            progress.report(info.key, str(read.error))
            return
        max_bytes = self.tuning.max_object_bytes
        try:
            records = read_object(read.content, info.key, info.last_modified, self.rules, max_bytes)
        except Exception as error:  # whatever an object does to the parser, it stops no other
            self._put_aside(chunk, info.key, info.etag, type(error).__name__, type(error).__name__)
            return
        chunk.add_part(Part(info.key, info.etag, info.key in progress.reread, records))
        progress.reread.discard(info.key)

    def _is_full(self, chunk: Chunk) -> bool:
        return (
            len(chunk.lines) >= self.tuning.chunk_events
            or len(chunk.objects) + len(chunk.failures) >= self.tuning.chunk_objects
            or chunk.size >= self.tuning.chunk_bytes
        )

    def _with_listed(self, counts: Counts) -> Counts:
        return replace(counts, objects_listed=self.progress.listed, objects_skipped=self.progress.skipped)

    def _load_chunk(self, chunk: Chunk, before: Counts) -> Counts:
        """Load a chunk; `before` are the run's counts without it.

        One on which PostgreSQL fails, or for which it takes too long, is loaded by halves, so that in the end
        the objects at fault are alone: these are set aside. A fault of the server or of the way to it is
        none of a chunk, and is raised.
        """
        share = max(len(chunk.lines) / self.tuning.chunk_events, len(chunk.parts) / self.tuning.chunk_objects)
        wanted = self._chunk_seconds * min(1.0, max(SHARE_OF_A_CHUNK, share))
        seconds = min(wanted, self._seconds_until_the_end())
        try:
            counts = self.warehouse.load(chunk, before, seconds, self.tuning.new_labels)
        except RowsRefused as refusal:
            self._reject(chunk, refusal)
            return self._load_chunk(chunk, before)
        except ChunkFailed as failure:
            if failure.timed_out and seconds < wanted:
                # Cut off by the end of the run. The next one begins with this chunk, and gives it its time.
                self.progress.cut_off = self.progress.out_of_time = True
                return before
            return self._load_halves(chunk, before, failure)
        self.progress.settle([*chunk.objects, *chunk.failures])
        return counts

    def _load_halves(self, chunk: Chunk, before: Counts, failure: ChunkFailed) -> Counts:
        """Load each half of a chunk that failed as a whole; set its object aside if it has only one."""
        if not chunk.parts:
            raise failure  # no object is at fault
        if len(chunk.parts) > 1:
            counts = before
            for half in chunk.halves():
                if self._is_over():
                    self.progress.cut_off = True
                    break
                counts = self._load_chunk(half, counts)
            return counts
        [part] = chunk.parts
        alone = Chunk(failures=chunk.failures, set_aside=chunk.set_aside)
        self._put_aside(alone, part.key, part.etag, str(failure), failure.kind)
        return self._load_chunk(alone, before)

    def _put_aside(self, chunk: Chunk, key: str, etag: str, reason: str, kind: str) -> None:
        """Set an object aside. Only `kind` is logged: a reason may quote what somebody sent."""
        chunk.put_aside(key, etag, reason)
        self.progress.set_aside += 1
        self.progress.report(key, f"set aside: {kind}")

    def _retry_set_aside(self, listing: Listing, counts: Counts) -> Counts:
        """Try the objects set aside that are due, each alone, after all others."""
        failed_before = self.progress.set_aside
        for key in self.warehouse.due_set_aside():
            if self.seconds_left() <= 0 or self.progress.set_aside - failed_before >= FAILED_RETRIES:
                break
            for info in listing.by_name([key]):
                chunk = Chunk()
                try:
                    self._add(chunk, Read(info, content=self.store.get(key)))
                except ReadError as error:
                    self._add(chunk, Read(info, error=error))
                if not chunk.is_empty():
                    counts = self._load_chunk(chunk, self._with_listed(counts))
        return counts

    def _is_over(self) -> bool:
        """Say whether the run's time is over, and note it."""
        if self.seconds_left() <= 0:
            self.progress.out_of_time = True
        return self.progress.out_of_time

    def _seconds_until_the_end(self) -> float:
        """Return how long a statement may take before the function is ended."""
        return max(1.0, self.seconds_left() + (self.tuning.stop_before - GRACE).total_seconds())

    def _reject(self, chunk: Chunk, refusal: RowsRefused) -> None:
        """Turn the rows that PostgreSQL refuses into rejected events, with their raw JSON."""
        chunk.drop(row.event_id for row, _ in refusal.rows)
        key, content = "", b""
        for row, reason in refusal.rows:
            position = int(row.source_position)
            if row.source_object != key:
                key, content = row.source_object, self.store.get(row.source_object)
            event = event_at(content, position, self.tuning.max_object_bytes)
            problem = Problem("refused_by_database", reason)
            chunk.rejected.append(rejected_event(event, row.source_object, position, problem))
