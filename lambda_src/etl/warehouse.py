"""PostgreSQL: the lock, the ledger, and one transaction per chunk. The SQL is in `sql/`."""

from __future__ import annotations

import io
import json
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, NamedTuple, TypeVar

import psycopg2
import psycopg2.errors

from contract.names import ALIASES
from etl.records import Rejected
from etl.row import Row

_Result = TypeVar("_Result")

Connect = Callable[[], Any]
"""Opens a psycopg2 connection."""

RECONNECTS: Final = 5
"""How often one step is repeated over a new connection before the run gives up."""
MAX_ATTEMPTS: Final = 72
"""How often an object that cannot be read is tried by every run; after that, once a day."""
OLD_FAILURES: Final = 500
"""How many objects that no listing finds any more a run tries."""
START_PATIENCE: Final = 2.0
"""Seconds to wait, at the start, for the lock of a loader that has just ended."""
LOCK_PATIENCE: Final = 10.0
"""Seconds to wait, after a lost connection, for the server to drop our own lock."""

_SQL: Final[dict[str, str]] = {
    file.stem: file.read_text(encoding="utf-8") for file in Path(__file__).with_name("sql").glob("*.sql")
}

COPY_ROWS: Final = _SQL["copy"].replace("etl_staging", "public.clickstream_events")
"""COPY straight into the table, of the same columns as into the staging table."""
COPY_BYTES: Final = 1 << 21
"""How much of a text psycopg2 hands over at once."""
TAB: Final = "\t"

_UNLOADABLE: Final = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    psycopg2.errors.ProgramLimitExceeded,
)
"""Faults of a row: no other connection and no later time helps."""


class Busy(Exception):
    """Another loader holds the lock."""


class Displaced(Exception):
    """The connection was lost, and with it the lock: another loader has it now."""


class Unloadable(Exception):
    """PostgreSQL refuses some rows of a chunk; `rows` has each with what it says of it."""

    def __init__(self, rows: list[tuple[Row, str]]) -> None:
        super().__init__(f"{len(rows)} rows are refused")
        self.rows = rows


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


class Texts(NamedTuple):
    """What PostgreSQL is given of new rows; COPY text."""

    ids: bytes
    """For `etl_ids`."""
    rows: bytes
    days: list[str]
    """Of receipt, as PostgreSQL reads them."""

    @classmethod
    def of(cls, lines: Mapping[str, str]) -> Texts:
        """Make the texts of rows: event id -> row as COPY text."""
        # The third column from the end is received_at.
        received = [line.rsplit(TAB, 3)[1] for line in lines.values()]
        ids = "".join([f"{event_id}\t{at}\n" for event_id, at in zip(lines, received, strict=True)])
        rows = "".join(lines.values())
        return cls(ids.encode(), rows.encode(), [f"{day} 00:00Z" for day in {at[:10] for at in received}])


@dataclass(slots=True)
class Chunk:
    """Objects that are loaded together."""

    objects: dict[str, str] = field(default_factory=dict)
    """Key -> ETag of the objects that were read."""
    again: list[str] = field(default_factory=list)
    """Keys of those that may have been loaded before."""
    failures: dict[str, str] = field(default_factory=dict)
    """Key -> why an object could not be read."""
    lines: dict[str, str] = field(default_factory=dict)
    """Event id -> its row as COPY text: of several copies the first accepted one."""
    copies: list[tuple[str, str]] = field(default_factory=list)
    """Event id and object of the events of which several objects hold a copy."""
    duplicates: int = 0
    """Copies that are not in `lines`."""
    rejected: list[Rejected] = field(default_factory=list)
    size: int = 0
    """Bytes of content that were read for it."""
    texts: Texts | None = None
    """What PostgreSQL is given of `lines`, if it was made ahead."""

    def is_empty(self) -> bool:
        """Whether there is nothing to record."""
        return not self.objects and not self.failures

    def add(self, event_id: str, line: str) -> None:
        """Add a row, unless there is an earlier copy."""
        present = self.lines.setdefault(event_id, line)
        if present is line:
            return
        self.duplicates += 1
        one, other = Row.of_line(present), Row.of_line(line)
        if one.source_object != other.source_object:
            self.copies += [(event_id, one.source_object), (event_id, other.source_object)]
        if other.rank() < one.rank():
            self.lines[event_id] = line

    def drop(self, event_ids: Iterable[str]) -> None:
        """Take rows out."""
        self.texts = None
        for event_id in event_ids:
            del self.lines[event_id]

    def finish(self) -> None:
        """Make the texts of a full chunk, to which nothing more is added.

        Where it is loaded PostgreSQL would wait for them.
        """
        self.texts = Texts.of(self.lines)


class Warehouse:
    """One loader's session. Use as a context manager; raises Busy if another loader runs."""

    def __init__(self, connect: Connect, pause: Callable[[float], None] = time.sleep) -> None:
        self._connect = connect
        self._pause = pause
        self._connection: Any = None
        self._backend: tuple[int, datetime] | None = None
        """Process and start of the server's side of the connection."""
        self._run_id = 0
        self._chunks = 0
        # While one thread loads a chunk another asks what is known.
        self._turn = threading.RLock()

    def __enter__(self) -> Warehouse:
        if not self._open(START_PATIENCE):
            raise Busy
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error), self._cursor() as cursor:
                cursor.execute(_SQL["unlock"])
        self._close()

    def start_run(self, payload: Mapping[str, object]) -> int:
        """Record that a run begins, and return its number."""

        def start(cursor: Any) -> int:
            cursor.execute(
                _SQL["sync_aliases"],
                {"aliases": list(ALIASES), "event_names": list(ALIASES.values())},
            )
            cursor.execute(_SQL["start_run"], {"payload": json.dumps(payload)})
            return int(cursor.fetchone()[0])

        self._run_id = self._transaction(start)
        return self._run_id

    def finish_run(self, status: str, counts: Counts) -> None:
        """Record how the run ended."""

        def finish(cursor: Any) -> None:
            self._update_run(cursor, counts, self._chunks)
            cursor.execute(_SQL["finish_run"], {"status": status, "run_id": self._run_id})

        self._transaction(finish)

    def fail_run(self) -> None:
        """Record that a fault ended the run, if the warehouse can still be told.

        The counts stay what the last chunk made them.
        """
        with suppress(psycopg2.Error, Displaced), self._cursor() as cursor:
            cursor.execute(_SQL["finish_run"], {"status": "failed", "run_id": self._run_id})
            self._connection.commit()

    def listed_from(self) -> str:
        """Return the folder before which every object is loaded or among the failures."""

        def ask(cursor: Any) -> str:
            cursor.execute(_SQL["listed_from"])
            return str(cursor.fetchone()[0])

        return self._transaction(ask)

    def move_watermark(self, boundary: str) -> None:
        """Let runs list from the folder `boundary` on."""
        self._transaction(lambda cursor: cursor.execute(_SQL["move_watermark"], {"boundary": boundary}))

    def close_hours(self, boundary: str) -> None:
        """Forget the ledger's detail before the folder `boundary`, from which runs list on."""
        self._transaction(lambda cursor: cursor.execute(_SQL["drop_detail"], {"boundary": boundary}))

    def old_failures(self, boundary: str) -> list[str]:
        """Return keys before the folder `boundary`, or of refused events, that are due for an attempt."""

        def ask(cursor: Any) -> list[str]:
            limits = {"attempts": MAX_ATTEMPTS, "limit": OLD_FAILURES}
            cursor.execute(_SQL["old_failures"], {"boundary": boundary, **limits})
            return [key for (key,) in cursor.fetchall()]

        return self._transaction(ask)

    def closed_hour(self, hour: str) -> tuple[int, int] | None:
        """Return count and hash of the objects of an hour (its folder) that is closed."""

        def ask(cursor: Any) -> tuple[int, int] | None:
            cursor.execute(_SQL["closed_hour"], {"hour": hour})
            found = cursor.fetchone()
            return None if found is None else (int(found[0]), int(found[1]))

        return self._transaction(ask)

    def rejected_keys(self, after: str) -> list[str]:
        """Return the objects after this key that hold rejected events."""

        def ask(cursor: Any) -> list[str]:
            cursor.execute(_SQL["rejected_keys"], {"after": after})
            return [key for (key,) in cursor.fetchall()]

        return self._transaction(ask)

    def drop_expired(self, days: int) -> int:
        """Drop the oldest week that ended more than `days` ago; return how many were dropped: 0 or 1."""

        def drop(cursor: Any) -> int:
            cursor.execute(_SQL["drop_expired"], {"days": days})
            return int(cursor.fetchone()[0])

        return self._transaction(drop)

    def forget_failure(self, key: str) -> None:
        """Drop the record of an unreadable object that was deleted."""
        self._transaction(lambda cursor: cursor.execute(_SQL["clear_failures"], {"keys": [key]}))

    def known(self, keys: Sequence[str]) -> dict[str, str]:
        """Return which of these objects are loaded: key -> ETag."""

        def ask(cursor: Any) -> dict[str, str]:
            cursor.execute(_SQL["known"], {"keys": list(keys)})
            return dict(cursor.fetchall())

        return self._transaction(ask)

    def load(self, chunk: Chunk, before: Counts) -> Counts:
        """Load a chunk in one transaction and return the counts of the run with it.

        `before` are the counts without the chunk's objects and events. A fault that may pass is
        met with a new connection; whether the lost COMMIT took place is read from `etl_runs`.
        Raises Unloadable, with nothing done, if PostgreSQL refuses rows.
        """
        number = self._chunks + 1

        def load(cursor: Any) -> Counts:
            cursor.execute(_SQL["read_run"], {"run_id": self._run_id})
            chunks, loaded, duplicate = cursor.fetchone()
            committed = chunks == number
            if not committed:
                fresh = self._merge(cursor, chunk)
                loaded = before.events_loaded + fresh
                duplicate = before.events_duplicate + chunk.duplicates + len(chunk.lines) - fresh
            counts = replace(
                before,
                objects_read=before.objects_read + len(chunk.objects),
                objects_failed=before.objects_failed + len(chunk.failures),
                events_loaded=loaded,
                events_duplicate=duplicate,
                events_rejected=before.events_rejected + len(chunk.rejected),
            )
            if not committed:
                self._update_run(cursor, counts, number)
            return counts

        try:
            counts = self._transaction(load)
        except _UNLOADABLE:
            refused = list(self._refused(list(chunk.lines.items())))
            if not refused:
                raise
            raise Unloadable(refused) from None
        self._chunks = number
        return counts

    def _refused(self, lines: Sequence[tuple[str, str]]) -> Iterator[tuple[Row, str]]:
        """Find the rows that PostgreSQL refuses, by halves, and yield each with what it says."""

        texts = Texts.of(dict(lines))

        def attempt(cursor: Any) -> str:
            try:
                _insert(cursor, dict(lines), texts)
            except _UNLOADABLE as error:
                return str(error.diag.message_primary or type(error).__name__)
            finally:
                self._connection.rollback()
            return ""

        refusal = self._transaction(attempt)
        if refusal and len(lines) == 1:
            yield Row.of_line(lines[0][1]), refusal
        elif refusal:
            middle = len(lines) // 2
            yield from self._refused(lines[:middle])
            yield from self._refused(lines[middle:])

    def _merge(self, cursor: Any, chunk: Chunk) -> int:
        """Write rows, rejected events, ledger and failures; return how many events were new."""
        loaded = 0
        read_again: list[str] = []
        texts = chunk.texts or Texts.of(chunk.lines)
        if chunk.again:
            _copy(cursor, _SQL["copy"], texts.rows)
            ends = {"first": min(chunk.again), "last": max(chunk.again)}
            cursor.execute(_SQL["drop_orphans"], {"again": chunk.again, **ends})
            read_again = [key for (key,) in cursor.fetchall()]
        if chunk.lines:
            known = _insert(cursor, chunk.lines, texts)
            loaded = len(chunk.lines) - len(known)
            if known or chunk.copies:
                if not chunk.again:
                    _copy(cursor, _SQL["copy"], _joined(map(chunk.lines.__getitem__, known)))
                event_ids, keys = map(list, zip(*chunk.copies, strict=True)) if chunk.copies else ([], [])
                cursor.execute(_SQL["walk_indexes"])
                cursor.execute(_SQL["record_copies"], {"event_ids": event_ids, "source_objects": keys})
                cursor.execute(_SQL["correct"], {"again": chunk.again})
        keys = list(chunk.objects)
        if keys:
            cursor.execute(_SQL["clear_rejected"], {"keys": keys})
            cursor.execute(_SQL["clear_failures"], {"keys": keys})
            cursor.execute(
                _SQL["record_objects"],
                {"keys": keys, "etags": list(chunk.objects.values()), "run_id": self._run_id},
            )
        if read_again:
            cursor.execute(_SQL["read_again"], {"keys": read_again})
        if chunk.rejected:
            columns = [list(column) for column in zip(*chunk.rejected, strict=True)]
            names = ("keys", "positions", "codes", "reasons", "raw_events")
            cursor.execute(_SQL["record_rejected"], dict(zip(names, columns, strict=True)))
        if chunk.failures:
            cursor.execute(
                _SQL["record_failures"],
                {"keys": list(chunk.failures), "errors": list(chunk.failures.values())},
            )
        return loaded

    def _update_run(self, cursor: Any, counts: Counts, chunks: int) -> None:
        values = asdict(counts) | {"chunks": chunks, "run_id": self._run_id}
        cursor.execute(_SQL["update_run"], values)

    def _transaction(self, work: Callable[[Any], _Result]) -> _Result:
        """Do `work` in a transaction; over a new connection where the fault may pass."""
        for attempt in range(RECONNECTS):
            with self._turn:
                try:
                    with self._cursor() as cursor:
                        result = work(cursor)
                        self._connection.commit()
                        return result
                except psycopg2.Error as error:
                    if not _may_pass(error) or attempt + 1 == RECONNECTS:
                        raise
                    # Before the other thread has its turn, which would meet it closed.
                    self._close()
            self._pause(2**attempt / 2)
        raise AssertionError("unreachable")

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        if self._connection is None and not self._open(LOCK_PATIENCE):
            raise Displaced("the connection to the warehouse was lost, and another loader is at work now")
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except BaseException:
            if self._connection is not None and not self._connection.closed:
                self._connection.rollback()
            raise

    def _open(self, patience: float) -> bool:
        """Connect, take the lock (waiting up to `patience` seconds) and make the staging table.

        Return whether there was the lock.
        """
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                if self._backend is not None:
                    cursor.execute(_SQL["end_lost"], self._backend)
                waited = 0.0
                while True:
                    cursor.execute(_SQL["lock"])
                    if cursor.fetchone()[0]:
                        break
                    if waited >= patience:
                        connection.close()
                        return False
                    self._pause(0.5)
                    waited += 0.5
                cursor.execute(_SQL["staging"])
                cursor.execute(_SQL["backend"])
                backend = cursor.fetchone()
            connection.commit()
        except BaseException:
            connection.close()
            raise
        self._connection, self._backend = connection, backend
        return True

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _may_pass(error: psycopg2.Error) -> bool:
    """Say whether a fault may pass: a lost connection, a deadlock, a server that restarts."""
    if isinstance(error, _UNLOADABLE):
        return False
    # Where a server goes in the middle of a statement, psycopg2 has no class of its own for it.
    return (
        isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        or type(error) is psycopg2.DatabaseError
    )


def _insert(cursor: Any, lines: Mapping[str, str], texts: Texts) -> set[str]:
    """Write the rows whose event is new, and return the ids of the others.

    The rows go straight into the table, by COPY: they need no staging where only their ids are looked at.
    """
    _copy(cursor, _SQL["copy_ids"], texts.ids)
    cursor.execute(_SQL["make_partitions"], {"days": texts.days})
    cursor.execute(_SQL["insert_ids"])
    if cursor.rowcount == len(lines):
        _copy(cursor, COPY_ROWS, texts.rows)
        return set()
    cursor.execute(_SQL["walk_indexes"])
    cursor.execute(_SQL["known_ids"])
    known = {event_id for (event_id,) in cursor.fetchall()}
    _copy(cursor, COPY_ROWS, _joined(line for event_id, line in lines.items() if event_id not in known))
    return known


def _joined(lines: Iterable[str]) -> bytes:
    return "".join(lines).encode()


def _copy(cursor: Any, statement: str, text: bytes) -> None:
    cursor.copy_expert(statement, io.BytesIO(text), COPY_BYTES)


def connector(
    host: str,
    port: int,
    user: str,
    database: str,
    password: str,
    ca_file: Callable[[], Any] | None,
) -> Connect:
    """Return what opens connections to a warehouse.

    `ca_file` gives a context manager with the path of the CA's certificate for as long as a
    connection is being made; with it the server's name or address must be in its certificate
    (`verify-full`).
    """

    def connect() -> Any:
        options: dict[str, Any] = {
            "host": host,
            "port": port,
            "user": user,
            "dbname": database,
            "password": password,
            "connect_timeout": 10,
            "application_name": "clickstream-etl",
            "keepalives_idle": 15,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            # A loader that was frozen or cut off must not hold locks for hours.
            "options": "-c idle_in_transaction_session_timeout=60000 -c lock_timeout=30000",
        }
        if ca_file is None:
            return psycopg2.connect(**options)
        with ca_file() as path:
            return psycopg2.connect(**options, sslmode="verify-full", sslrootcert=path)

    return connect
