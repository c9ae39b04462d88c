"""The loader's connection to PostgreSQL, with the lock that lets one loader run at a time.

After a fault that may pass, such as a lost connection, a transaction is tried again over a new connection.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from typing import Any, Final, TypeVar

import psycopg2
import psycopg2.errors

from etl.settings import Target
from etl.statements import SQL

_Result = TypeVar("_Result")

Connect = Callable[[], Any]
"""Opens a psycopg2 connection."""

ATTEMPTS: Final = 5
"""How often a transaction is tried, each time over a new connection, before the run fails."""
START_PATIENCE: Final = 2.0
"""Seconds to wait, at the start, for the lock of a loader that has just ended."""
LOCK_PATIENCE: Final = 10.0
"""Seconds to wait, after a lost connection, until the server releases this loader's own lock."""

ROW_FAULTS: Final = (
    psycopg2.DataError,
    psycopg2.IntegrityError,
    psycopg2.errors.ProgramLimitExceeded,
)
"""PostgreSQL refuses a row. Trying again does not help."""


_INFRASTRUCTURE: Final = ("08", "25", "28", "3D", "40", "42", "53", "55", "57", "58", "XX001", "XX002")
"""How SQLSTATEs begin that tell of connection, server, privileges or schema: no event is at fault."""
_OF_A_STATEMENT: Final = (psycopg2.errors.QueryCanceled, psycopg2.errors.OutOfMemory)
"""What begins likewise, but may be for want of a smaller chunk."""


class Busy(Exception):
    """Another loader holds the lock."""


class LockLost(Exception):
    """The connection was lost, and the lock with it: another loader has taken it."""


def connector(target: Target, password: str, ca_file: Callable[[], Any] | None) -> Connect:
    """Return a function that opens connections to the warehouse.

    `ca_file` returns a context manager, which yields the path of the CA's certificate while a connection is
    opened. With it the server's certificate must name the server's host (`verify-full`).
    """

    def connect() -> Any:
        options: dict[str, Any] = {
            "host": target.host,
            "port": target.port,
            "user": target.user,
            "dbname": target.database,
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


class Connection:
    """The connection of one loader, with the lock that keeps other loaders out.

    Use as a context manager. Entering raises Busy if another loader runs.
    """

    def __init__(self, connect: Connect, pause: Callable[[float], None] = time.sleep) -> None:
        self._connect = connect
        self._pause = pause
        self._connection: Any = None
        self._backend: tuple[int, datetime] | None = None
        """Process id and start time of the server process of this connection."""
        # One thread loads a chunk while another asks which objects are loaded.
        self._turn = threading.RLock()

    def __enter__(self) -> Connection:
        if not self._open(START_PATIENCE):
            raise Busy
        return self

    def __exit__(self, *_: object) -> None:
        if self._connection is not None:
            with suppress(psycopg2.Error), self._cursor() as cursor:
                cursor.execute(SQL["unlock"])
        self._close()

    def transaction(self, work: Callable[[Any], _Result], attempts: int = ATTEMPTS) -> _Result:
        """Call `work` with a cursor and commit; after a fault that may pass, again over a new connection.

        Raises psycopg2.Error, or LockLost.
        """
        for attempt in range(attempts):
            with self._turn:
                try:
                    with self._cursor() as cursor:
                        result = work(cursor)
                        self._connection.commit()
                        return result
                except psycopg2.Error as error:
                    if not _may_pass(error) or attempt + 1 == attempts:
                        raise
                    # Still in this thread's turn: the other thread must not meet the broken connection.
                    self._close()
            self._pause(2**attempt / 2)
        raise AssertionError("unreachable")

    @contextmanager
    def _cursor(self) -> Iterator[Any]:
        if self._connection is None and not self._open(LOCK_PATIENCE):
            raise LockLost("the connection to the warehouse was lost, and another loader is running now")
        try:
            with self._connection.cursor() as cursor:
                yield cursor
        except BaseException:
            if self._connection is not None and not self._connection.closed:
                self._connection.rollback()
            raise

    def _open(self, patience: float) -> bool:
        """Connect, take the lock and make the staging tables.

        Waits for the lock up to `patience` seconds. Returns whether it was free.
        """
        connection = self._connect()
        try:
            with connection.cursor() as cursor:
                if self._backend is not None:
                    cursor.execute(SQL["end_lost_session"], self._backend)
                waited = 0.0
                while True:
                    cursor.execute(SQL["lock"])
                    if cursor.fetchone()[0]:
                        break
                    if waited >= patience:
                        connection.close()
                        return False
                    self._pause(0.5)
                    waited += 0.5
                cursor.execute(SQL["create_staging"])
                cursor.execute(SQL["backend"])
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


def is_of_the_work(error: psycopg2.Error) -> bool:
    """Say whether the server failed on what it was given, and not for a fault of its own or of the way."""
    if isinstance(error, _OF_A_STATEMENT):
        return True
    return error.pgcode is not None and not error.pgcode.startswith(_INFRASTRUCTURE)


def _may_pass(error: psycopg2.Error) -> bool:
    """Say whether a fault may pass: a lost connection, a deadlock, a server that restarts."""
    if isinstance(error, ROW_FAULTS) or is_of_the_work(error):
        return False
    # psycopg2 has no class of its own for a server that stops in the middle of a statement.
    return (
        isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError)
        or type(error) is psycopg2.DatabaseError
    )
