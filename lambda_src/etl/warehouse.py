"""What a run reads and writes in PostgreSQL: its own record, the ledger of loaded objects, and the chunks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

import psycopg2

from contract.names import ALIASES
from etl.chunk import Chunk, CopyTexts
from etl.connection import ROW_FAULTS, Connect, Connection, LockLost, is_of_the_work
from etl.labels import LabelLimits
from etl.merge import insert_new, merge
from etl.row import Row
from etl.statements import SQL

MAX_ATTEMPTS: Final = 72
"""How many runs in a row try an object that cannot be read; after that, it is tried once a day."""
MAX_REASON: Final = 500
"""How many characters of PostgreSQL's message are kept."""
OLD_FAILURES: Final = 500
"""How many failed objects that no listing reaches any more a run tries."""


class RowsRefused(Exception):
    """PostgreSQL refuses some rows of a chunk; `rows` has each of them with PostgreSQL's message."""

    def __init__(self, rows: list[tuple[Row, str]]) -> None:
        super().__init__(f"{len(rows)} rows are refused")
        self.rows = rows


class ChunkFailed(Exception):
    """PostgreSQL fails on a chunk, or takes too long for it; nothing is written.

    The message says why, as PostgreSQL does, so it may quote an event; `kind` is its error's name alone.
    """

    def __init__(self, error: psycopg2.Error) -> None:
        self.kind = f"{type(error).__name__} ({error.pgcode})"
        self.timed_out = isinstance(error, psycopg2.errors.QueryCanceled)
        super().__init__(f"{self.kind}: {(error.diag.message_primary or '')[:MAX_REASON]}")


@dataclass(frozen=True, slots=True)
class Counts:
    """What a run has done so far; column names of `etl_runs`."""

    objects_listed: int = 0
    objects_skipped: int = 0
    objects_read: int = 0
    objects_failed: int = 0
    objects_left: int = 0
    events_loaded: int = 0
    events_duplicate: int = 0
    events_rejected: int = 0
    events_refused: int = 0
    events_refused_kept: int = 0


class Warehouse:
    """The warehouse, for one run. Use as a context manager; raises Busy if another loader runs."""

    def __init__(self, connect: Connect, pause: Callable[[float], None] = time.sleep) -> None:
        self._connection = Connection(connect, pause)
        self._run_id = 0
        self._chunks = 0

    def __enter__(self) -> Warehouse:
        self._connection.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._connection.__exit__(*exception)

    def start_run(self, payload: Mapping[str, object]) -> int:
        """Record that a run begins, and return its number."""

        def start(cursor: Any) -> int:
            cursor.execute(
                SQL["sync_aliases"],
                {"aliases": list(ALIASES), "event_names": list(ALIASES.values())},
            )
            cursor.execute(SQL["start_run"], {"payload": json.dumps(payload)})
            return int(cursor.fetchone()[0])

        self._run_id = self._connection.transaction(start)
        return self._run_id

    def finish_run(self, status: str, counts: Counts) -> None:
        """Record how the run ended."""

        def finish(cursor: Any) -> None:
            self._update_run(cursor, counts, self._chunks)
            cursor.execute(SQL["finish_run"], {"status": status, "run_id": self._run_id})

        self._connection.transaction(finish)

    def fail_run(self) -> None:
        """Record that a fault ended the run, if the warehouse can be reached.

        The counts stay those of the last chunk.
        """
        values = {"status": "failed", "run_id": self._run_id}
        with suppress(psycopg2.Error, LockLost):
            self._connection.transaction(lambda cursor: cursor.execute(SQL["finish_run"], values), attempts=1)

    def listed_from(self) -> str:
        """Return the watermark: before this folder every object is loaded or among the failures."""
        [(folder,)] = self._rows("read_watermark")
        return str(folder)

    def move_watermark(self, boundary: str) -> None:
        """Move the watermark up to the folder `boundary`."""
        self._execute("move_watermark", {"boundary": boundary})

    def close_hours(self, boundary: str) -> None:
        """Replace the ledger's objects before the folder `boundary`, the watermark, by one row an hour."""
        self._execute("close_hours", {"boundary": boundary})

    def due_failures(self, boundary: str) -> list[str]:
        """Return the failed objects to try now of those that the listing from `boundary` does not reach."""
        limits = {"attempts": MAX_ATTEMPTS, "limit": OLD_FAILURES}
        return [key for (key,) in self._rows("due_failures", {"boundary": boundary, **limits})]

    def closed_hour(self, hour: str) -> tuple[int, int] | None:
        """Return count and hash of the objects of an hour (its folder), or None if it is not closed."""
        found = self._rows("closed_hour", {"hour": hour})
        return (int(found[0][0]), int(found[0][1])) if found else None

    def rejected_keys(self, after: str) -> list[str]:
        """Return the objects after this key that hold rejected events."""
        return [key for (key,) in self._rows("rejected_keys", {"after": after})]

    def settled_etags(self, keys: Sequence[str]) -> tuple[dict[str, str], dict[str, str]]:
        """Return which of these objects are loaded and which set aside, and in which version: key -> ETag."""
        loaded: dict[str, str] = {}
        aside: dict[str, str] = {}
        for key, etag, set_aside in self._rows("loaded_etags", {"keys": list(keys)}):
            (aside if set_aside else loaded)[key] = etag
        return loaded, aside

    def due_set_aside(self) -> list[str]:
        """Return the objects set aside that are to be tried now, those that have waited longest first."""
        return [key for (key,) in self._rows("due_set_aside")]

    def count_set_aside(self) -> int:
        """Return how many objects are set aside."""
        [(number,)] = self._rows("count_set_aside")
        return int(number)

    def forget_failure(self, key: str) -> None:
        """Delete the record of a failed object that no longer exists."""
        self._execute("clear_failures", {"keys": [key]})

    def drop_expired(self, days: int) -> int:
        """Drop the oldest week that ended more than `days` ago; return how many were dropped: 0 or 1."""
        [(dropped,)] = self._rows("drop_expired", {"days": days})
        return int(dropped)

    def load(
        self, chunk: Chunk, before: Counts, seconds: float = 120.0, new_labels: LabelLimits | None = None
    ) -> Counts:
        """Load a chunk in one transaction and return the run's counts with it.

        `before` are the run's counts without this chunk. If the connection is lost during COMMIT, `etl_runs`
        says whether the chunk was committed. Each statement may take `seconds`. Raises RowsRefused, with
        nothing written, if PostgreSQL refuses rows, and ChunkFailed if it fails otherwise or takes longer.
        """
        label_limits = new_labels or LabelLimits()
        number = self._chunks + 1
        limit = {"milliseconds": max(1, round(seconds * 1000))}

        def load(cursor: Any) -> Counts:
            cursor.execute(SQL["read_run"], {"run_id": self._run_id, **limit})
            chunks, loaded, duplicate, *_ = cursor.fetchone()
            committed = chunks == number
            if not committed:
                new = merge(cursor, chunk, self._run_id, label_limits)
                loaded = before.events_loaded + new
                duplicate = before.events_duplicate + chunk.duplicates + len(chunk.lines) - new
            counts = replace(
                before,
                objects_read=before.objects_read + len(chunk.objects),
                objects_failed=before.objects_failed + len(chunk.failures),
                events_loaded=loaded,
                events_duplicate=duplicate,
                events_rejected=before.events_rejected + len(chunk.rejected),
                events_refused=before.events_refused + chunk.refused,
                events_refused_kept=before.events_refused_kept + chunk.refused_kept,
            )
            if not committed:
                self._update_run(cursor, counts, number)
            return counts

        try:
            try:
                counts = self._connection.transaction(load)
            except ROW_FAULTS:
                refused = list(self._refused_rows(list(chunk.lines.items()), limit))
                if not refused:
                    raise
                raise RowsRefused(refused) from None
        except psycopg2.Error as error:
            if not is_of_the_work(error):
                raise
            raise ChunkFailed(error) from error
        self._chunks = number
        return counts

    def _refused_rows(
        self, lines: Sequence[tuple[str, str]], limit: Mapping[str, int]
    ) -> Iterator[tuple[Row, str]]:
        """Find the rows that PostgreSQL refuses, by halves; yield each with PostgreSQL's message."""
        texts = CopyTexts.of(dict(lines))

        def attempt(cursor: Any) -> str:
            try:
                cursor.execute(SQL["limit_time"], limit)
                insert_new(cursor, dict(lines), texts, {})
            except ROW_FAULTS as error:
                return str(error.diag.message_primary or type(error).__name__)
            finally:
                cursor.connection.rollback()
            return ""

        refusal = self._connection.transaction(attempt)
        if refusal and len(lines) == 1:
            yield Row.of_line(lines[0][1]), refusal
        elif refusal:
            middle = len(lines) // 2
            yield from self._refused_rows(lines[:middle], limit)
            yield from self._refused_rows(lines[middle:], limit)

    def _update_run(self, cursor: Any, counts: Counts, chunks: int) -> None:
        values = asdict(counts) | {"chunks": chunks, "run_id": self._run_id}
        cursor.execute(SQL["update_run"], values)

    def _rows(self, statement: str, parameters: Mapping[str, object] | None = None) -> list[Any]:
        """Run one statement in a transaction of its own, and return its rows."""

        def ask(cursor: Any) -> list[Any]:
            cursor.execute(SQL[statement], parameters)
            return list(cursor.fetchall())

        return self._connection.transaction(ask)

    def _execute(self, statement: str, parameters: Mapping[str, object]) -> None:
        """Run one statement that returns no rows in a transaction of its own."""
        self._connection.transaction(lambda cursor: cursor.execute(SQL[statement], parameters))
