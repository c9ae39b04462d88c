"""Connections to PostgreSQL that break at a chosen statement."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg2

from tests.support.postgres import LOADER, ThrowawayPostgres


class Killed(BaseException):
    """The process is killed at this point."""


class Faults:
    """Opens connections that break at the n-th statement or COMMIT, counted over all connections.

    `lost` breaks the connection before the statement, `unknown` after it (the COMMIT took place, but its
    answer is lost), `killed` ends the process before it.
    """

    def __init__(self, server: ThrowawayPostgres, at: int, kind: str) -> None:
        self.server, self.at, self.kind = server, at, kind
        self.count = 0
        self.struck = False

    def connect(self) -> Any:
        return FaultyConnection(self.server.connect(LOADER), self)

    def around(self, connection: Any, statement: Callable[[], Any]) -> Any:
        self.count += 1
        if self.count != self.at:
            return statement()
        self.struck = True
        if self.kind == "unknown":
            statement()
        connection.close()
        raise Killed if self.kind == "killed" else psycopg2.OperationalError("connection lost")


class FaultyConnection:
    """A psycopg2 connection under `Faults`."""

    def __init__(self, connection: Any, faults: Faults) -> None:
        self._real, self._faults = connection, faults

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def commit(self) -> None:
        self._faults.around(self._real, self._real.commit)

    @contextmanager
    def cursor(self) -> Iterator[Any]:
        with self._real.cursor() as cursor:
            yield FaultyCursor(cursor, self._faults, self._real)


class FaultyCursor:
    """A psycopg2 cursor under `Faults`."""

    def __init__(self, cursor: Any, faults: Faults, connection: Any) -> None:
        self._real, self._faults, self._connection = cursor, faults, connection

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)

    def execute(self, *arguments: Any) -> None:
        self._faults.around(self._connection, lambda: self._real.execute(*arguments))

    def copy_expert(self, *arguments: Any) -> None:
        self._faults.around(self._connection, lambda: self._real.copy_expert(*arguments))
