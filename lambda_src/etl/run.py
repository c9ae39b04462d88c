"""The whole run: what is read, when it is loaded, when to stop, and what is answered."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from contract.timestamps import ClockRules
from contract.validation import Problem
from etl.answer import Answer, make_answer
from etl.chunk import Chunk
from etl.listing import Listing
from etl.payload import Selection, hour_folder
from etl.progress import Progress
from etl.reading import Read, read_ahead
from etl.records import event_at, read_object, rejected_event
from etl.settings import Tuning
from etl.store import ObjectGone, Store
from etl.warehouse import Counts, RowsRefused, Warehouse

SWITCH_INTERVAL: Final = 0.0005
"""Seconds for which a thread may keep the interpreter while others wait for it.

The thread that loads needs it only for moments between PostgreSQL's answers. The thread that parses would
keep it for 5 ms, Python's default."""


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

    def load(self, payload: Mapping[str, object], now: datetime) -> Answer:
        """Load what `selection` selects, until it is done or the time is over.

        `payload` is what the run was called with. Raises NothingRead if every object failed, and the
        errors of S3 and PostgreSQL that outlast the retries; what was loaded before is committed.
        """
        started = time.monotonic()
        self.warehouse.start_run(payload)
        listing = Listing(self.store, self.warehouse, self.selection, self.seconds_left, self.progress)
        try:
            counts = self._load_all(listing)
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
        answer = make_answer(status, counts, failures, time.monotonic() - started)
        if self.progress.listed_from is not None:
            answer["listed_from"] = self.progress.listed_from
        if status == "incomplete":
            answer["next"] = {**payload, "after": self.progress.done}
        return answer

    def _status(self, counts: Counts) -> str:
        if counts.objects_failed > 0 and counts.objects_read == 0:
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
                if self.seconds_left() <= 0:
                    self.progress.out_of_time = True
                    reads.close()
                    break
                self._add(chunk, read)
                if self._is_full(chunk):
                    chunk.make_texts()
                    counts = counts if loading is None else loading.result()
                    loading = loader.submit(self._load_chunk, chunk, self._with_listed(counts))
                    chunk = Chunk()
            counts = counts if loading is None else loading.result()
            if not chunk.is_empty():
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
        chunk.add_records(read_object(read.content, info.key, info.last_modified, self.rules, max_bytes))
        chunk.objects[info.key] = info.etag
        if info.key in progress.reread:
            progress.reread.remove(info.key)
            chunk.reread.append(info.key)

    def _is_full(self, chunk: Chunk) -> bool:
        return (
            len(chunk.lines) >= self.tuning.chunk_events
            or len(chunk.objects) + len(chunk.failures) >= self.tuning.chunk_objects
            or chunk.size >= self.tuning.chunk_bytes
        )

    def _with_listed(self, counts: Counts) -> Counts:
        return replace(counts, objects_listed=self.progress.listed, objects_skipped=self.progress.skipped)

    def _load_chunk(self, chunk: Chunk, before: Counts) -> Counts:
        """Load a chunk; `before` are the run's counts without it."""
        try:
            counts = self.warehouse.load(chunk, before)
        except RowsRefused as refusal:
            self._reject(chunk, refusal)
            counts = self.warehouse.load(chunk, before)
        self.progress.settle([*chunk.objects, *chunk.failures])
        return counts

    def _reject(self, chunk: Chunk, refusal: RowsRefused) -> None:
        """Turn the rows that PostgreSQL refuses into rejected events, with their raw JSON."""
        chunk.drop(row.event_id for row, _ in refusal.rows)
        for row, reason in refusal.rows:
            position = int(row.source_position)
            content = self.store.get(row.source_object)
            event = event_at(content, position, self.tuning.max_object_bytes)
            problem = Problem("refused_by_database", reason)
            chunk.rejected.append(rejected_event(event, row.source_object, position, problem))
