"""The ETL against a real PostgreSQL: one loader at a time, and faults of connection and server."""

from __future__ import annotations

import socket
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg2
import pytest

from etl.answer import Answer
from etl.connection import Busy, LockLost
from etl.warehouse import Warehouse
from tests.support.etl import (
    check_sums,
    check_warehouse,
    empty,
    event,
    key,
    places,
    raw,
    run_etl,
    short_pause,
)
from tests.support.faults import Faults, Killed
from tests.support.postgres import DATABASE, LOADER, ThrowawayPostgres
from tests.support.raw_store import RawStore


def test_a_second_loader_is_busy_until_the_session_of_the_first_ends(postgres: ThrowawayPostgres) -> None:
    def connect() -> Any:
        return postgres.connect(LOADER)

    with Warehouse(connect) as first:
        first.start_run({})
        with pytest.raises(Busy), Warehouse(connect, short_pause):
            raise AssertionError("two loaders at work")
    with Warehouse(connect):
        pass


def test_concurrent_runs_load_everything_once(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(60):
        store.put(key(number), raw(*(event(n) for n in range(number, number + 4))))
    answers: list[Answer] = []

    def attempt() -> None:
        while True:
            try:
                answers.append(run_etl(postgres, store))
                return
            except Busy:
                continue

    threads = [threading.Thread(target=attempt) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(answer["events"]["loaded"] for answer in answers) == 63
    assert sum(answer["objects"]["read"] for answer in answers) == 60
    check_warehouse(postgres, store)


def fault_store() -> RawStore:
    store = RawStore()
    for number in range(6):
        store.put(key(number), raw(event(number), event(number + 1), {"eventName": ""}))
    store.put(key("x"), b"malformed")
    return store


@pytest.mark.parametrize("kind", ["lost", "unknown", "killed"])
def test_a_fault_at_any_statement_loses_and_doubles_nothing(postgres: ThrowawayPostgres, kind: str) -> None:
    store = fault_store()
    at = 0
    while True:
        at += 1
        empty(postgres)
        faults = Faults(postgres, at, kind)
        try:
            answer = run_etl(postgres, store, connect=faults.connect)
        except (Killed, psycopg2.OperationalError):
            # Killed, or broken before the run had begun. The counts of what was committed are right.
            [counted] = postgres.execute("SELECT coalesce(sum(events_loaded), 0) FROM etl_runs")
            assert counted[0] == len(places(postgres))
            answer = run_etl(postgres, store)
            assert answer["status"] == "complete"
        else:
            assert answer["events"] == {"read": 19, "loaded": 7, "duplicate": 5, "rejected": 7}, at
        check_sums(answer)
        check_warehouse(postgres, store)
        [loaded] = postgres.execute("SELECT sum(events_loaded) FROM etl_runs")
        assert loaded[0] == 7
        if not faults.struck:
            break
    assert at > 30


def test_a_server_crash_between_chunks_does_not_fail_the_run(postgres: ThrowawayPostgres) -> None:
    store = fault_store()
    crashed = []

    def crash_once() -> float:
        if len(store.reads) >= 4 and not crashed:
            crashed.append(True)
            postgres.stop("immediate")
            postgres.start()
        return 1.0

    answer = run_etl(postgres, store, seconds_left=crash_once)
    assert crashed and answer["status"] == "complete"
    check_warehouse(postgres, store)


def test_a_server_that_stays_down_fails_the_run(postgres: ThrowawayPostgres) -> None:
    store = fault_store()

    def crash() -> float:
        postgres.stop("immediate")
        return 1.0

    calls = iter([crash])
    try:
        with pytest.raises(psycopg2.OperationalError):
            run_etl(postgres, store, seconds_left=lambda: next(calls, lambda: 1.0)())
    finally:
        postgres.start()
    run_etl(postgres, store)
    check_warehouse(postgres, store)


class CuttableLink:
    """A connection to the server that can be cut without the server noticing."""

    def __init__(self, server: ThrowawayPostgres) -> None:
        self._directory = server.directory / "link"
        self._directory.mkdir(exist_ok=True)
        self._server = str(server.directory / f".s.PGSQL.{server.port}")
        self._path = self._directory / f".s.PGSQL.{server.port}"
        self._path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen()
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def connect(self) -> Any:
        return psycopg2.connect(host=str(self._directory), user=LOADER, dbname=DATABASE)

    def cut(self) -> None:
        """End the clients' side of all connections."""
        for client, _ in self._pairs:
            with suppress(OSError):
                client.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for pair in [(self._listener, self._listener), *self._pairs]:
            for end in pair:
                end.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._server)
                self._pairs.append((client, server))
                for source, target in ((client, server), (server, client)):
                    threading.Thread(target=self._forward, args=(source, target), daemon=True).start()

    @staticmethod
    def _forward(source: socket.socket, target: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(1 << 16):
                target.sendall(data)


@pytest.fixture
def link(postgres: ThrowawayPostgres) -> Iterator[CuttableLink]:
    made = CuttableLink(postgres)
    yield made
    made.close()


def test_a_lost_connection_that_the_server_does_not_notice_does_not_fail_the_run(
    postgres: ThrowawayPostgres, link: CuttableLink
) -> None:
    """The session on the server would hold the lock until its keepalive ends it."""
    store = fault_store()
    cuts = []

    def cut_once() -> float:
        if len(store.reads) >= 4 and not cuts:
            cuts.append(link.cut())
        return 1.0

    answer = run_etl(postgres, store, seconds_left=cut_once, connect=link.connect)
    assert cuts
    assert answer["status"] == "complete"
    check_sums(answer)
    check_warehouse(postgres, store)


def test_a_run_that_lost_its_lock_to_another_one_fails(postgres: ThrowawayPostgres) -> None:
    store = fault_store()
    other = postgres.connect(LOADER)
    faults = Faults(postgres, 12, "lost")

    def connect() -> Any:
        if faults.struck:
            with other.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_lock(6022170)")
        return faults.connect()

    with pytest.raises(LockLost, match="another loader"):
        run_etl(postgres, store, connect=connect)
    other.close()
    run_etl(postgres, store)
    check_warehouse(postgres, store)


def test_a_transaction_that_deadlocks_is_tried_again(postgres: ThrowawayPostgres) -> None:
    store = fault_store()
    got = []
    # The loader is the one whose deadlock is detected, and not before both wait.
    postgres.execute(f"ALTER ROLE {LOADER} SET deadlock_timeout = '5s'")
    rival = postgres.connect()
    rival.autocommit = True
    with rival.cursor() as cursor:
        cursor.execute("SET deadlock_timeout = '1min'")
        cursor.execute("BEGIN; LOCK TABLE rejected_events IN ACCESS EXCLUSIVE MODE")

    def wait_for_each_other() -> None:
        # The loader has the ids and waits for the table; now the rival, which has it, wants an id.
        waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = %s"
        until = time.monotonic() + 20
        while postgres.execute(waiting, (LOADER,)) == [(0,)] and time.monotonic() < until:
            time.sleep(0.02)
        with rival.cursor() as cursor:
            cursor.execute("INSERT INTO clickstream_event_ids VALUES (%s, now())", (str(uuid.UUID(int=1)),))
            got.append("the id that the loader had")
            cursor.execute("ROLLBACK")

    thread = threading.Thread(target=wait_for_each_other)
    thread.start()
    # Two threads: one loads the chunk that deadlocks, the other asks which objects are loaded.
    answer = run_etl(postgres, store)
    thread.join()
    rival.close()
    postgres.execute(f"ALTER ROLE {LOADER} RESET deadlock_timeout")
    assert got == ["the id that the loader had"]
    assert answer["status"] == "complete"
    check_sums(answer)
    check_warehouse(postgres, store)
