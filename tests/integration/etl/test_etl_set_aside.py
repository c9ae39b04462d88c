"""The ETL against a real PostgreSQL that fails on certain events, or takes too long for them.

Their objects are set aside, and everything else is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import psycopg2
import pytest

from etl.run import FAILED_RETRIES
from etl.settings import Tuning
from tests.support.etl import check_sums, check_warehouse, event, key, places, raw, run_etl
from tests.support.faults import Faults, Killed
from tests.support.postgres import ThrowawayPostgres
from tests.support.raw_store import RawStore

RAISE = "RAISE EXCEPTION 'client % is at fault', NEW.client_id"
SLEEP = "PERFORM pg_sleep(60)"
TUNING = Tuning(readers=4, chunk_objects=16, chunk_time=timedelta(seconds=4))
"""The objects at fault get half a second."""


@contextmanager
def fault(server: ThrowawayPostgres, what: str, clients: list[int], when: str = "BEFORE") -> Iterator[None]:
    """Have a trigger that does this for the events of these clients."""
    named = ", ".join(f"'client-{number}'" for number in clients)
    server.execute(
        f"CREATE SCHEMA odd; GRANT USAGE ON SCHEMA odd TO PUBLIC;"
        f"CREATE FUNCTION odd.fault() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN IF NEW.client_id IN ({named}) THEN {what}; END IF; RETURN NEW; END$$;"
        f"CREATE TRIGGER odd {when} INSERT ON clickstream_events FOR EACH ROW EXECUTE FUNCTION odd.fault()"
    )
    try:
        yield
    finally:
        server.execute("DROP SCHEMA odd CASCADE")


def a_store(objects: int = 40) -> RawStore:
    """Objects of two events each; an event of the next object is in each of them too."""
    store = RawStore()
    for number in range(objects):
        store.put(key(number), raw(event(number), event(number + 1)))
    return store


def aside(server: ThrowawayPostgres) -> dict[str, int]:
    """What is set aside: key -> attempts."""
    return dict(server.execute("SELECT object_key, attempts FROM etl_object_failures WHERE etag IS NOT NULL"))


def pass_time(server: ThrowawayPostgres, hours: float) -> None:
    """Have everything failed so much longer ago."""
    server.execute(
        "UPDATE etl_object_failures SET last_failed_at = last_failed_at - make_interval(mins => %s)",
        (round(hours * 60),),
    )


def check_without(server: ThrowawayPostgres, store: RawStore, keys: set[str]) -> None:
    """Check that everything is loaded but these objects."""
    good = RawStore({name: content for name, content in store.objects.items() if name not in keys})
    check_warehouse(server, good)


@pytest.mark.parametrize(
    ("what", "clients", "when"),
    [
        (RAISE, [20], "AFTER"),
        (RAISE, [0, 1, 17, 39], "BEFORE"),
        (RAISE, list(range(41)), "BEFORE"),
        (SLEEP, [20], "AFTER"),
        (SLEEP, [3, 30], "BEFORE"),
    ],
)
def test_objects_on_which_the_database_fails_are_set_aside_and_loaded_later(
    postgres: ThrowawayPostgres, what: str, clients: list[int], when: str
) -> None:
    store = a_store()
    # An event is in two objects: both are at fault.
    bad = {key(number) for client in clients for number in (client - 1, client) if 0 <= number < 40}
    with fault(postgres, what, clients, when):
        answer = run_etl(postgres, store, tuning=TUNING)
        check_sums(answer)
        assert answer["status"] == "complete"
        assert answer["objects"]["failed"] == answer["objects"]["set_aside"] == len(bad)
        assert aside(postgres) == dict.fromkeys(bad, 1)
        check_without(postgres, store, bad)
        name = "RaiseException (P0001)" if what == RAISE else "QueryCanceled (57014)"
        assert answer["failures"][0]["error"] == f"set aside: {name}", "what is logged quotes no event"
        [(reason,)] = postgres.execute(
            "SELECT DISTINCT left(error, 36) FROM etl_object_failures ORDER BY 1 LIMIT 1"
        )
        assert reason.startswith(f"set aside: {name[:20]}")
        # They hold up nothing that comes later, and are not tried again at once.
        store.put(key(50), raw(event(50)))
        reads = len(store.reads)
        assert run_etl(postgres, store, tuning=TUNING)["events"]["loaded"] == 1
        assert store.reads[reads:] == [key(50)]
    pass_time(postgres, 1)
    answer = run_etl(postgres, store, tuning=TUNING)
    check_sums(answer)
    assert (answer["objects"]["read"], answer["objects"]["set_aside"]) == (len(bad), 0)
    check_warehouse(postgres, store)
    assert postgres.execute("SELECT * FROM etl_object_failures") == []
    assert run_etl(postgres, store, tuning=TUNING)["events"]["read"] == 0


def test_one_bad_event_of_a_large_object_keeps_back_only_that_object(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(8):
        store.put(key(number), raw(*(event(500 * number + place) for place in range(500))))
    with fault(postgres, RAISE, [1777]):
        answer = run_etl(postgres, store, tuning=TUNING)
        assert answer["events"]["loaded"] == 3500
        check_without(postgres, store, {key(3)})
        # Whoever names it has it tried at once. Repaired in place, it is a new object.
        answer = run_etl(postgres, store, {"prefix": "events/"}, tuning=TUNING)
        assert answer["objects"]["failed"] == 1 and aside(postgres) == {key(3): 2}
        store.put(key(3), raw(event(9000)))
        assert run_etl(postgres, store, tuning=TUNING)["events"]["loaded"] == 1
    check_warehouse(postgres, store)


def test_what_stays_bad_is_tried_more_and_more_rarely_and_a_few_a_run(postgres: ThrowawayPostgres) -> None:
    store = a_store(12)
    with fault(postgres, RAISE, list(range(13))):
        run_etl(postgres, store, tuning=TUNING)
        waits = []
        for _ in range(9):
            hours = 0
            while min(aside(postgres).values()) == max(aside(postgres).values()):
                pass_time(postgres, 1 if hours < 8 else 8)
                hours += 1 if hours < 8 else 8
                run_etl(postgres, store, tuning=TUNING)
            assert sorted(aside(postgres).values())[-FAILED_RETRIES] > min(aside(postgres).values())
            assert sorted(aside(postgres).values())[-FAILED_RETRIES - 1] == min(aside(postgres).values())
            run_etl(postgres, store, tuning=TUNING)  # those that the bound left
            waits.append(hours)
        assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 168]
    pass_time(postgres, 168)
    run_etl(postgres, store, tuning=TUNING)
    check_warehouse(postgres, store)


def test_faults_of_the_infrastructure_set_nothing_aside(postgres: ThrowawayPostgres) -> None:
    store = a_store()
    # Privileges, and a table that somebody holds.
    postgres.execute("REVOKE INSERT ON clickstream_events FROM clickstream_loader")
    try:
        with pytest.raises(psycopg2.errors.InsufficientPrivilege):
            run_etl(postgres, store, tuning=TUNING)
    finally:
        postgres.execute("GRANT INSERT ON clickstream_events TO clickstream_loader")
    holder = postgres.connect()
    with holder.cursor() as cursor:
        cursor.execute("LOCK TABLE clickstream_events IN SHARE MODE")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            run_etl(postgres, store, tuning=Tuning(chunk_time=timedelta(seconds=1)))
    holder.close()
    # S3.
    store.unreadable |= {key(3)}
    run_etl(postgres, store, tuning=TUNING)
    store.unreadable.clear()
    assert aside(postgres) == {}
    run_etl(postgres, store, tuning=TUNING)
    check_warehouse(postgres, store)


@pytest.mark.parametrize("kind", ["lost", "unknown", "killed"])
@pytest.mark.parametrize("at", range(20, 70, 7))
def test_a_broken_connection_among_bad_objects_loses_and_doubles_nothing(
    postgres: ThrowawayPostgres, kind: str, at: int
) -> None:
    store = a_store(12)
    with fault(postgres, RAISE, [5]):
        try:
            run_etl(postgres, store, tuning=TUNING, connect=Faults(postgres, at, kind).connect)
        except Killed:
            run_etl(postgres, store, tuning=TUNING)
        assert set(aside(postgres)) == {key(4), key(5)}
        check_without(postgres, store, {key(4), key(5)})
    [(loaded,)] = postgres.execute("SELECT sum(events_loaded) FROM etl_runs")
    assert loaded == len(places(postgres))
    pass_time(postgres, 1)
    run_etl(postgres, store, tuning=TUNING)
    check_warehouse(postgres, store)


def test_a_chunk_that_the_end_of_the_run_cuts_off_is_not_at_fault(postgres: ThrowawayPostgres) -> None:
    store = a_store(16)
    # A chunk may take a quarter of what a run had at first; its end comes earlier.
    left = iter([900.0] * 2)
    with fault(postgres, SLEEP, [5]):
        answer = run_etl(
            postgres,
            store,
            tuning=Tuning(readers=1, stop_before=timedelta(seconds=5.0), chunk_time=timedelta(seconds=60)),
            seconds_left=lambda: next(left, 0.5),
        )
    assert answer["status"] == "incomplete" and answer["objects"]["left"] == 16
    assert aside(postgres) == {} and places(postgres) == {}
    run_etl(postgres, store, tuning=TUNING)
    check_warehouse(postgres, store)


def test_an_object_that_breaks_the_parser_is_set_aside(
    postgres: ThrowawayPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    from etl import run

    store = a_store(6)
    parse = run.read_object

    def breaks(content: bytes, name: str, *rest: object) -> object:
        if name == key(2):
            raise RecursionError
        return parse(content, name, *rest)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(run, "read_object", breaks)
        run_etl(postgres, store, tuning=TUNING)
        assert set(aside(postgres)) == {key(2)}
        check_without(postgres, store, {key(2)})
    pass_time(postgres, 1)
    run_etl(postgres, store, tuning=TUNING)
    check_warehouse(postgres, store)
