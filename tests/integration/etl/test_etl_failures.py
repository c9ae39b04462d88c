"""The ETL against a real PostgreSQL: events that cannot be rows, and objects that cannot be read."""

from __future__ import annotations

import json

import pytest

from etl.run import NothingRead
from etl.warehouse import OLD_FAILURES
from tests.support.etl import check_ids, check_sums, check_warehouse, event, key, raw, run_etl
from tests.support.postgres import ThrowawayPostgres
from tests.support.raw_store import RawStore


def test_invalid_events_and_malformed_objects_do_not_stop_a_run(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), b'{"events": [')
    bad = {"eventName": 5, "note": "\x00\ud800"}
    store.put(key(2), raw(event(1), {"eventName": "x", "note": "\x00"}, bad))
    store.put(key(3), b"\x1f\x8bbroken")
    store.put(key(4), raw(event(4)))
    answer = run_etl(postgres, store)
    assert answer["events"] == {"read": 6, "loaded": 3, "duplicate": 0, "rejected": 3}
    assert postgres.execute("SELECT object_key, position, code FROM rejected_events ORDER BY 1") == [
        (key(1), -1, "unreadable"),
        (key(2), 2, "invalid_event_name"),
        (key(3), -1, "unreadable"),
    ]
    [(text,)] = postgres.execute("SELECT raw_event FROM rejected_events WHERE position = 2")
    assert json.loads(text) == bad
    # Repaired in place: the object is read again, and what was rejected is no longer.
    store.put(key(1), raw(event(9)))
    run_etl(postgres, store)
    check_warehouse(postgres, store)


def test_an_object_that_cannot_be_read_is_reported_retried_and_forgotten(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(5):
        store.put(key(number), raw(event(number)))
    store.unreadable.add(key(2))
    answer = run_etl(postgres, store)
    check_sums(answer)
    assert answer["status"] == "complete" and answer["objects"]["failed"] == 1
    assert answer["failures"] == [{"key": key(2), "error": "AccessDenied"}]
    check_warehouse(postgres, store)
    with pytest.raises(NothingRead, match="AccessDenied"):
        run_etl(postgres, store)
    assert postgres.execute("SELECT object_key, attempts FROM etl_object_failures") == [(key(2), 2)]
    store.unreadable.clear()
    run_etl(postgres, store)
    assert postgres.execute("SELECT * FROM etl_object_failures") == []
    check_warehouse(postgres, store)


def test_a_row_that_the_database_refuses_becomes_a_rejected_event(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(6):
        store.put(key(number), raw(event(2 * number), event(2 * number + 1)))
    postgres.execute(
        "ALTER TABLE clickstream_events ADD CONSTRAINT odd CHECK (client_id NOT IN ('client-3', 'client-8'))"
    )
    try:
        answer = run_etl(postgres, store)
    finally:
        postgres.execute("ALTER TABLE clickstream_events DROP CONSTRAINT odd")
    check_sums(answer)
    assert answer["events"] == {"read": 12, "loaded": 10, "duplicate": 0, "rejected": 2}
    check_ids(postgres)
    found = postgres.execute("SELECT object_key, position, code, raw_event FROM rejected_events ORDER BY 1")
    assert [(name, position, code) for name, position, code, _ in found] == [
        (key(1), 1, "refused_by_database"),
        (key(4), 0, "refused_by_database"),
    ]
    assert json.loads(found[0][3]) == event(3)


def test_an_object_that_fails_for_long_is_tried_once_a_day(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    old, refused = key(1, "2025/12/01/05"), "rejected/2025/12/01/05/rejected-1.json"
    store.put(old, raw(event(1)))
    store.put(refused, {"rejected": [{"index": 0, "event": event(2)}], "_ingest": {}})
    store.put(key(3), raw(event(3)))
    store.unreadable |= {old, refused}
    run_etl(postgres, store)
    with pytest.raises(NothingRead):
        run_etl(postgres, store, {"prefix": "rejected/"})
    postgres.execute("UPDATE etl_object_failures SET attempts = 1000")
    store.unreadable.clear()
    assert run_etl(postgres, store)["events"]["read"] == 0
    # What is only to be read again is due at once, however much is waiting that failed.
    postgres.execute("UPDATE etl_object_failures SET last_failed_at = now() - interval '1 day'")
    more = [key(number, "2025/12/01/06") for number in range(OLD_FAILURES)]
    for number, name in enumerate(more):
        store.put(name, raw(event(number + 10)))
    postgres.execute(
        "INSERT INTO etl_object_failures (object_key, attempts, error, last_failed_at) "
        "SELECT key, 0, 'again', now() FROM unnest(%s) AS key",
        (more,),
    )
    assert run_etl(postgres, store)["events"]["loaded"] == 2 + OLD_FAILURES
    assert postgres.execute("SELECT * FROM etl_object_failures") == []


def test_an_unreadable_old_object_that_is_deleted_is_forgotten(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    old = key(1, "2025/12/01/05")
    store.put(old, raw(event(1)))
    store.put(key(2), raw(event(2)))
    store.unreadable.add(old)
    run_etl(postgres, store)
    del store.objects[old]
    assert run_etl(postgres, store)["status"] == "complete"
    assert postgres.execute("SELECT * FROM etl_object_failures") == []
