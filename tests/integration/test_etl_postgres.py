"""The ETL against a real PostgreSQL: each event exactly once, whatever happens."""

from __future__ import annotations

import ipaddress
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice, permutations
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg2 import sql

from contract.names import ALIASES
from contract.timestamps import ClockRules
from etl.answer import Answer
from etl.connection import Busy, Connect, LockLost, connector
from etl.listing import keys_hash
from etl.payload import read_payload
from etl.records import read_object
from etl.row import Row
from etl.run import NothingRead, Run
from etl.settings import Target, Tuning
from etl.warehouse import OLD_FAILURES, Warehouse
from tests.support.plain_model import check_model
from tests.support.postgres import (
    DATABASE,
    LOADER,
    PASSWORD,
    READER,
    ThrowawayPostgres,
    find_binaries,
    throwaway_postgres,
)
from tests.support.raw_store import LAST_MODIFIED, RawStore

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")

NOW = datetime(2025, 12, 6, 6, 0, tzinfo=UTC)
RULES = ClockRules()
SMALL = Tuning(readers=4, chunk_events=5)
TABLES = (
    "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
    "AND relnamespace = 'public'::regnamespace"
)
ROWS = "SELECT to_jsonb(clickstream_events) - 'loaded_at' FROM clickstream_events ORDER BY event_id"


SEED_COLUMNS = [
    "event_id",
    "event_timestamp",
    "event_name",
    "user_id",
    "user_login_state",
    "identity_source",
    "client_id",
    "session_id",
    "is_first_visit",
    "context_product_id",
    "context_product_name",
    "context_product_category",
    "context_product_brand",
    "context_product_price",
    "context_product_discount_price",
    "context_product_url_path",
]


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as postgres:
        postgres.create_database()
        yield postgres


@pytest.fixture
def postgres(server: ThrowawayPostgres) -> ThrowawayPostgres:
    empty(server)
    return server


def empty(server: ThrowawayPostgres) -> None:
    """Make the warehouse what it is after its migrations."""
    server.execute(
        "TRUNCATE clickstream_events, clickstream_event_ids, clickstream_event_copies, etl_runs, "
        "etl_objects, etl_closed_hours, etl_object_failures, rejected_events, "
        "event_name_aliases; UPDATE etl_watermark SET listed_from = ''"
    )


def short_pause(seconds: float) -> None:
    """Wait less than in earnest: the server is near."""
    time.sleep(seconds / 20)


def etl(
    server: ThrowawayPostgres,
    store: RawStore,
    payload: dict[str, Any] | None = None,
    tuning: Tuning = SMALL,
    seconds_left: Callable[[], float] = lambda: 1.0,
    connect: Connect | None = None,
    now: datetime = NOW,
) -> Answer:
    """One run of the ETL, as the handler does it."""
    selection, given_payload = read_payload(payload or {})
    with Warehouse(connect or (lambda: server.connect(LOADER)), pause=short_pause) as warehouse:
        run = Run(store, warehouse, selection, tuning, RULES, seconds_left)
        return run.load(given_payload, now)


def key(number: int | str, hour: str = "2025/12/06/05") -> str:
    return f"events/{hour}/event-{number:>06}.json"


def event(number: int, **changes: Any) -> dict[str, Any]:
    return {
        "eventId": str(uuid.UUID(int=number + 1)),
        "eventName": "page_view",
        "eventTimestamp": "2025-12-06T05:00:00Z",
        "clientId": f"client-{number}",
        **changes,
    }


def raw(*events: Any, received: str = "2025-12-06T05:00:01Z") -> dict[str, Any]:
    return {"events": list(events), "_ingest": {"receivedAt": received, "requestId": "r"}}


def rows(server: ThrowawayPostgres) -> list[tuple[Any, ...]]:
    """All rows, without when they were loaded."""
    return server.execute(ROWS)


def places(server: ThrowawayPostgres) -> dict[str, tuple[str, int]]:
    """Event id -> the copy that is its row."""
    found = server.execute("SELECT event_id, source_object, source_position FROM clickstream_events")
    return {row[0]: (row[1], row[2]) for row in found}


def model(store: RawStore) -> tuple[dict[str, tuple[str, int]], set[tuple[str, int]]]:
    """What the warehouse must hold, by plain means: event id -> its first copy; rejected places."""
    first: dict[str, tuple[str, str, int]] = {}
    rejected = set()
    for name, content in store.objects.items():
        if name in store.unreadable:
            continue
        records = read_object(content, name, LAST_MODIFIED, RULES, 10**9)
        rejected |= {(item.object_key, item.position) for item in records.rejected}
        for _, line in records.lines:
            row = Row.of_line(line)
            copy = (row.received_at, name, int(row.source_position))
            first[row.event_id] = min(first.get(row.event_id, copy), copy)
    return {event_id: copy[1:] for event_id, copy in first.items()}, rejected


def check(server: ThrowawayPostgres, store: RawStore, counts: bool = True) -> None:
    """The warehouse holds what the raw objects hold, and its ledger and its counts say so."""
    expected, rejected = model(store)
    assert places(server) == expected
    [(found, distinct)] = server.execute("SELECT count(*), count(DISTINCT event_id) FROM clickstream_events")
    assert found == distinct
    check_ids(server)
    assert set(server.execute("SELECT object_key, position FROM rejected_events")) == rejected
    readable = set(store.objects) - store.unreadable
    assert {name for (name,) in server.execute("SELECT object_key FROM etl_objects")} == readable
    if counts:
        check_model(server)


def check_ids(server: ThrowawayPostgres) -> None:
    """Each row has its id where ids are taken, and no id is taken without a row."""
    taken = server.execute("SELECT event_id, received_at FROM clickstream_event_ids")
    assert set(server.execute("SELECT event_id, received_at FROM clickstream_events")) == set(taken)


def add_up(answer: Answer) -> None:
    objects, events = answer["objects"], answer["events"]
    assert objects["listed"] == sum(objects[name] for name in ("skipped", "read", "failed", "left"))  # type: ignore[literal-required]
    assert events["read"] == events["loaded"] + events["duplicate"] + events["rejected"]


# --- the straight way --------------------------------------------------------------------------------


def test_values_arrive_as_they_are(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    full = event(
        0,
        eventName="add_to_cart",
        eventTimestamp="2025-12-06T12:00:00.123+07:00",
        pageUrl="https://shop/p?a=\\N&b=\t",
        referrer="line\nbreak\r\\",
        userId="user",
        userLoginState="logged_in",
        identitySource="form",
        sessionId="s \x00 \ud83d",
        isFirstVisit=True,
        product={
            "id": 7,
            "name": "Màn hình",
            "category": "monitor",
            "brand": "LG",
            "price": 4990000.456,
            "discountPrice": "4490000",
            "urlPath": "/p/7",
        },
        element={"tag": "button", "text": "Mua \x00 ngay", "dataset": {"a": [1, None]}},
    )
    store.put(key(1), raw(full))
    answer = etl(postgres, store)
    assert answer["events"] == {"read": 1, "loaded": 1, "duplicate": 0, "rejected": 0}
    [row] = postgres.execute("SELECT * FROM clickstream_events")
    found = dict(zip([*Row._fields, "loaded_at", "visitor"], row, strict=True))
    assert found["event_name"] == "add_to_cart_click"
    assert found["event_timestamp"] == datetime(2025, 12, 6, 5, 0, 0, 123000, tzinfo=UTC)
    assert found["page_url"] == full["pageUrl"] and found["referrer"] == full["referrer"]
    assert found["session_id"] == "s \ufffd \ufffd"
    assert found["is_first_visit"] is True and found["identity_verified"] is False
    assert str(found["context_product_price"]) == "4990000.46"
    assert str(found["context_product_discount_price"]) == "4490000.00"
    assert found["element"] == {"tag": "button", "text": "Mua \ufffd ngay", "dataset": {"a": [1, None]}}
    assert (found["source_object"], found["source_position"]) == (key(1), 0)


def test_the_highest_prices_fit_the_column(postgres: ThrowawayPostgres) -> None:
    """Prices below 10^13 are accepted: the column must hold them, also where it rounds them up."""
    prices: list[Any] = [10**13 - 1, "9999999999999.99", 9999999999999.998, "9999999999999.999", 10**13]
    store = RawStore()
    store.put(key(1), raw(*(event(number, product={"price": price}) for number, price in enumerate(prices))))
    answer = etl(postgres, store)
    assert answer["events"] == {"read": 5, "loaded": 4, "duplicate": 0, "rejected": 1}
    found = postgres.execute("SELECT context_product_price::text FROM clickstream_events ORDER BY event_id")
    assert found == [
        ("9999999999999.00",),
        ("9999999999999.99",),
        ("10000000000000.00",),
        ("10000000000000.00",),
    ]
    assert postgres.execute("SELECT code FROM rejected_events") == [("invalid_product_price",)]


def test_small_objects_are_loaded_while_others_are_read(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(5):
        store.put(key(number), raw(event(number)))
    store.unreadable.add(key(1))
    answer = etl(postgres, store, tuning=replace(SMALL, chunk_objects=2))
    add_up(answer)
    assert postgres.execute("SELECT chunks FROM etl_runs") == [(3,)], "of two, two and one objects"
    check(postgres, store)


def test_a_second_run_changes_nothing(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(20):
        store.put(key(number), raw(event(2 * number), event(2 * number + 1)))
    first = etl(postgres, store)
    assert first["status"] == "complete" and first["events"]["loaded"] == 40
    before = postgres.execute("SELECT * FROM clickstream_events ORDER BY event_id")
    second = etl(postgres, store)
    assert second["objects"]["skipped"] == 20 and second["events"]["read"] == 0
    assert postgres.execute("SELECT * FROM clickstream_events ORDER BY event_id") == before
    check(postgres, store)


def test_duplicates_within_and_across_objects(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1), event(1), event(2), received="2025-12-06T05:00:05Z"))
    store.put(key(2), raw(event(2), event(3), received="2025-12-06T05:00:02Z"))
    answer = etl(postgres, store)
    assert answer["events"] == {"read": 5, "loaded": 3, "duplicate": 2, "rejected": 0}
    # Event 2 reached the collector first in the object with the later key.
    assert places(postgres)[event(2)["eventId"]] == (key(2), 0)
    check(postgres, store)


def test_any_order_of_loading_gives_the_same_rows(postgres: ThrowawayPostgres) -> None:
    objects = {
        key(number): raw(
            *(event(n, sessionId=f"copy {number}") for n in range(number % 3, 12, 2)),
            received=f"2025-12-06T05:00:{59 - number:02}Z",
        )
        for number in range(8)
    }
    results = []
    for names in islice(permutations(objects), 0, 40_000, 6_500):
        empty(postgres)
        store = RawStore()
        for name in names:
            store.put(name, objects[name])
            etl(postgres, store)
        check(postgres, store)
        results.append(rows(postgres))
    assert all(result == results[0] for result in results)


def test_reprocessing_rebuilds_the_same_rows_and_repairs_changed_ones(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(12):
        store.put(key(number), raw(event(number), event(number + 1), {"eventName": ""}))
    etl(postgres, store)
    before = rows(postgres)
    postgres.execute(
        "UPDATE clickstream_events SET event_name = 'wrong', page_url = 'x' WHERE random() < 0.5"
    )
    answer = etl(postgres, store, {"reprocess": True})
    assert answer["events"] == {"read": 36, "loaded": 0, "duplicate": 24, "rejected": 12}
    assert rows(postgres) == before
    postgres.execute("TRUNCATE clickstream_events, clickstream_event_ids")
    etl(postgres, store, {"reprocess": True})
    assert rows(postgres) == before
    check(postgres, store)


def test_reprocessing_looks_for_each_row_once(postgres: ThrowawayPostgres) -> None:
    """Of large batches: the planner would rather go through a batch's rows for each event, for minutes."""
    store = RawStore()
    for number in range(40):
        events = [event(number * 500 + place) for place in range(500)]
        store.put(key(number), raw(*events, received=f"2025-12-06T05:{number:02}:01Z"))
    etl(postgres, store, tuning=Tuning())
    postgres.execute("ANALYZE")
    patient = partial(postgres.connect, LOADER, options="-c statement_timeout=30s")
    answer = etl(postgres, store, {"reprocess": True}, tuning=Tuning(), connect=patient)
    assert answer["events"] == {"read": 20_000, "loaded": 0, "duplicate": 20_000, "rejected": 0}


def test_selections(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for hour in range(4, 9):
        store.put(key(1, f"2025/12/06/{hour:02}"), raw(event(hour)))
    assert etl(postgres, store, {"prefix": "events/2025/12/06/07/"})["events"]["loaded"] == 1
    span = {"start": "2025-12-06T05:30:00Z", "end": "2025-12-06T07:00:00Z"}
    assert etl(postgres, store, span)["events"]["loaded"] == 2
    assert {place[0][18:20] for place in places(postgres).values()} == {"05", "06", "07"}
    assert etl(postgres, store)["events"]["loaded"] == 2


def test_late_objects_and_replaced_objects(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(5), raw(event(5)))
    etl(postgres, store)
    # A key before those that are loaded, and an event that is days late.
    store.put(key(1), raw(event(1, eventTimestamp="2025-12-01T00:00:00Z", sentAt="2025-12-06T05:00:01Z")))
    assert etl(postgres, store)["events"]["loaded"] == 1
    [(moment,)] = postgres.execute("SELECT min(event_timestamp) FROM clickstream_events")
    assert moment == datetime(2025, 12, 1, tzinfo=UTC)
    store.put(key(5), raw(event(5), event(6)))
    answer = etl(postgres, store)
    assert answer["objects"]["read"] == 1
    assert answer["events"] == {"read": 2, "loaded": 1, "duplicate": 1, "rejected": 0}
    check(postgres, store)


def test_aliases_in_the_warehouse_are_those_of_the_table(postgres: ThrowawayPostgres) -> None:
    postgres.execute("INSERT INTO event_name_aliases VALUES ('old', 'gone'), ('purchase', 'wrong')")
    etl(postgres, RawStore())
    assert dict(postgres.execute("SELECT alias, event_name FROM event_name_aliases")) == ALIASES


# --- what cannot be loaded ---------------------------------------------------------------------------


def test_bad_events_and_malformed_objects_hold_nothing_up(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), b'{"events": [')
    bad = {"eventName": 5, "note": "\x00\ud800"}
    store.put(key(2), raw(event(1), {"eventName": "x", "note": "\x00"}, bad))
    store.put(key(3), b"\x1f\x8bbroken")
    store.put(key(4), raw(event(4)))
    answer = etl(postgres, store)
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
    etl(postgres, store)
    check(postgres, store)


def test_an_object_that_cannot_be_read_is_reported_retried_and_forgotten(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(5):
        store.put(key(number), raw(event(number)))
    store.unreadable.add(key(2))
    answer = etl(postgres, store)
    add_up(answer)
    assert answer["status"] == "complete" and answer["objects"]["failed"] == 1
    assert answer["failures"] == [{"key": key(2), "error": "AccessDenied"}]
    check(postgres, store)
    with pytest.raises(NothingRead, match="AccessDenied"):
        etl(postgres, store)
    assert postgres.execute("SELECT object_key, attempts FROM etl_object_failures") == [(key(2), 2)]
    store.unreadable.clear()
    etl(postgres, store)
    assert postgres.execute("SELECT * FROM etl_object_failures") == []
    check(postgres, store)


def test_a_row_that_the_database_refuses_becomes_a_rejected_event(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(6):
        store.put(key(number), raw(event(2 * number), event(2 * number + 1)))
    postgres.execute(
        "ALTER TABLE clickstream_events ADD CONSTRAINT odd CHECK (client_id NOT IN ('client-3', 'client-8'))"
    )
    try:
        answer = etl(postgres, store)
    finally:
        postgres.execute("ALTER TABLE clickstream_events DROP CONSTRAINT odd")
    add_up(answer)
    assert answer["events"] == {"read": 12, "loaded": 10, "duplicate": 0, "rejected": 2}
    check_ids(postgres)
    found = postgres.execute("SELECT object_key, position, code, raw_event FROM rejected_events ORDER BY 1")
    assert [(name, position, code) for name, position, code, _ in found] == [
        (key(1), 1, "refused_by_database"),
        (key(4), 0, "refused_by_database"),
    ]
    assert json.loads(found[0][3]) == event(3)


# --- time, watermark, one at a time ------------------------------------------------------------------


def test_a_run_stops_before_its_limit_and_the_next_goes_on(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(40):
        store.put(key(number), raw(event(2 * number), event(2 * number + 1)))
    payload: dict[str, Any] = {"reprocess": True}
    seen, statuses = 0, []
    while True:
        answer = etl(postgres, store, payload, seconds_left=few_calls(12))
        add_up(answer)
        seen += answer["objects"]["read"]
        statuses.append(answer["status"])
        if "next" not in answer:
            break
        assert answer["objects"]["left"] > 0
        payload = answer["next"]
    assert seen == 40 and statuses == ["incomplete"] * 4 + ["complete"]
    check(postgres, store)


def test_the_ledger_stays_small(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1, "2025/12/03/05"), raw(event(1)))
    store.put(key(2, "2025/12/03/06"), raw(event(2)))
    store.put(key(3, "2025/12/06/05"), raw(event(3)))
    store.unreadable.add(key(2, "2025/12/03/06"))
    etl(postgres, store)
    assert postgres.execute("SELECT listed_from FROM etl_watermark") == [("events/2025/12/04/06",)]
    assert postgres.execute("SELECT object_key FROM etl_objects") == [(key(3),)]
    # What no listing reaches any more is still tried, and loaded once it can be.
    with pytest.raises(NothingRead):
        etl(postgres, store)
    store.unreadable.clear()
    answer = etl(postgres, store)
    assert answer["listed_from"] == "events/2025/12/04/06"
    assert (answer["objects"]["listed"], answer["events"]["loaded"]) == (2, 1)
    # An object that somebody puts back into an old hour is loaded by naming it.
    store.put(key(0, "2025/12/03/05"), raw(event(0)))
    assert etl(postgres, store)["events"]["read"] == 0
    answer = etl(postgres, store, {"prefix": "events/2025/12/03/05/"})
    assert answer["events"] == {"read": 2, "loaded": 1, "duplicate": 1, "rejected": 0}
    assert len(places(postgres)) == 4


def few_calls(calls: int) -> Callable[[], float]:
    """Time that is over after some looks at the clock."""
    budget = iter([1.0] * calls)
    return lambda: next(budget, 0.0)


def test_a_run_with_nothing_to_read_ends_in_time_and_is_gone_on_with(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(40):
        store.put(key(number), raw(event(number)))
    etl(postgres, store)
    payload: dict[str, Any] = {"prefix": "events/2025/"}
    listed = calls = 0
    while True:
        calls += 1
        answer = etl(postgres, store, payload, seconds_left=few_calls(2))
        add_up(answer)
        listed += answer["objects"]["listed"]
        assert answer["objects"]["read"] == 0
        if answer["status"] == "complete":
            break
        assert answer["next"]["after"] > str(payload.get("after", ""))
        payload = answer["next"]
    assert (answer["status"], listed) == ("complete", 40)
    assert calls > 2


@pytest.mark.parametrize("calls", [0, 1, 3, 9, 14, 25])
def test_where_an_unfinished_run_came_to_is_kept(postgres: ThrowawayPostgres, calls: int) -> None:
    """The schedule asks for everything: it must not begin at the beginning each time."""
    store = RawStore()
    for hour in range(6):
        for number in range(5):
            store.put(key(number, f"2025/12/01/{hour:02}"), raw(event(10 * hour + number)))
    store.unreadable.add(key(2, "2025/12/01/01"))
    gone = key(3, "2025/12/01/01")
    store.gone.add(gone)
    answer = etl(postgres, store, seconds_left=few_calls(calls))
    add_up(answer)
    assert answer["status"] == "incomplete"
    del store.objects[gone]
    [(listed_from,)] = postgres.execute("SELECT listed_from FROM etl_watermark")
    waiting = {name for name in store.objects if name > listed_from}
    settled = {name for (name,) in postgres.execute("SELECT object_key FROM etl_object_failures")}
    settled |= {source for source, _ in places(postgres).values()}
    assert store.objects.keys() - waiting <= settled
    assert {name for name in store.objects if name <= str(answer["next"]["after"])} <= settled
    if calls == 25:
        assert listed_from > "events/2025/12/01/02"
    store.unreadable.clear()
    again = etl(postgres, store)
    assert again["objects"]["listed"] <= len(waiting) + 1
    assert places(postgres) == model(store)[0]


def test_a_closed_hour_does_not_speak_for_the_hours_before_it(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for hour in ("05", "06"):
        for number in range(3):
            store.put(key(number, f"2025/12/01/{hour}"), raw(event(int(hour) * 10 + number)))
    etl(postgres, store)
    # Both are closed. One more object comes into the first: what is left of it is not to be passed over.
    late = key(9, "2025/12/01/05")
    store.put(late, raw(event(9)))
    payload: dict[str, Any] = {"start": "2025-12-01T00:00:00Z"}
    calls, after = 0, ""
    while after < late:
        answer = etl(postgres, store, payload, seconds_left=few_calls(calls))
        after = str(answer["next"]["after"]) if "next" in answer else "f"
        calls += 1
    assert late in {source for source, _ in places(postgres).values()}


def test_an_object_that_fails_for_long_is_tried_once_a_day(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    old, refused = key(1, "2025/12/01/05"), "rejected/2025/12/01/05/rejected-1.json"
    store.put(old, raw(event(1)))
    store.put(refused, {"rejected": [{"index": 0, "event": event(2)}], "_ingest": {}})
    store.put(key(3), raw(event(3)))
    store.unreadable |= {old, refused}
    etl(postgres, store)
    with pytest.raises(NothingRead):
        etl(postgres, store, {"prefix": "rejected/"})
    postgres.execute("UPDATE etl_object_failures SET attempts = 1000")
    store.unreadable.clear()
    assert etl(postgres, store)["events"]["read"] == 0
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
    assert etl(postgres, store)["events"]["loaded"] == 2 + OLD_FAILURES
    assert postgres.execute("SELECT * FROM etl_object_failures") == []


@pytest.mark.parametrize(
    "payload",
    [
        {"prefix": "events/2025/12/01/06/"},
        {"start": "2025-12-01T06:00:00Z"},
        {"after": "events/2025/12/01/06", "reprocess": True},
        {"after": "events/2025/12/01/06"},
    ],
)
def test_a_backfill_does_not_speak_for_what_it_did_not_list(
    postgres: ThrowawayPostgres, payload: dict[str, Any]
) -> None:
    store = RawStore()
    for hour in ("2025/12/01/05", "2025/12/01/06"):
        for number in range(10):
            store.put(key(number, hour), raw(event(number)))
    etl(postgres, store, payload)
    unfinished = etl(postgres, store, seconds_left=few_calls(8))
    assert unfinished["status"] == "incomplete"
    assert unfinished["next"]["after"]
    [(come_to,)] = postgres.execute("SELECT listed_from FROM etl_watermark")
    assert come_to == "events/2025/12/01/05"
    etl(postgres, store, unfinished["next"])
    assert postgres.execute("SELECT listed_from FROM etl_watermark") == [(come_to,)]
    etl(postgres, store)
    assert postgres.execute("SELECT listed_from FROM etl_watermark") == [("events/2025/12/04/06",)]
    assert places(postgres) == model(store)[0]


def test_an_unreadable_old_object_that_is_deleted_is_forgotten(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    old = key(1, "2025/12/01/05")
    store.put(old, raw(event(1)))
    store.put(key(2), raw(event(2)))
    store.unreadable.add(old)
    etl(postgres, store)
    del store.objects[old]
    assert etl(postgres, store)["status"] == "complete"
    assert postgres.execute("SELECT * FROM etl_object_failures") == []


def test_a_second_loader_leaves_and_the_lock_goes_with_its_session(postgres: ThrowawayPostgres) -> None:
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
                answers.append(etl(postgres, store))
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
    check(postgres, store)


# --- faults ------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process ends here; nothing of it runs on."""


class Faults:
    """Makes connections that break at the n-th statement (or COMMIT), counted over all of them.

    `lost` breaks the connection before the statement, `unknown` after it (the COMMIT took place,
    its answer is lost), `killed` ends the process before it.
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
            answer = etl(postgres, store, connect=faults.connect)
        except (Killed, psycopg2.OperationalError):
            # Killed, or broken before the run had begun. The counts of what was committed are right.
            [counted] = postgres.execute("SELECT coalesce(sum(events_loaded), 0) FROM etl_runs")
            assert counted[0] == len(places(postgres))
            answer = etl(postgres, store)
            assert answer["status"] == "complete"
        else:
            assert answer["events"] == {"read": 19, "loaded": 7, "duplicate": 5, "rejected": 7}, at
        add_up(answer)
        check(postgres, store)
        [loaded] = postgres.execute("SELECT sum(events_loaded) FROM etl_runs")
        assert loaded[0] == 7
        if not faults.struck:
            break
    assert at > 30


def test_a_server_that_crashes_between_chunks(postgres: ThrowawayPostgres) -> None:
    store = fault_store()
    crashed = []

    def crash_once() -> float:
        if len(store.reads) >= 4 and not crashed:
            crashed.append(True)
            postgres.stop("immediate")
            postgres.start()
        return 1.0

    answer = etl(postgres, store, seconds_left=crash_once)
    assert crashed and answer["status"] == "complete"
    check(postgres, store)


def test_a_server_that_stays_away_fails_the_run(postgres: ThrowawayPostgres) -> None:
    store = fault_store()

    def crash() -> float:
        postgres.stop("immediate")
        return 1.0

    calls = iter([crash])
    try:
        with pytest.raises(psycopg2.OperationalError):
            etl(postgres, store, seconds_left=lambda: next(calls, lambda: 1.0)())
    finally:
        postgres.start()
    etl(postgres, store)
    check(postgres, store)


class HalfOpen:
    """A way to the server that can be cut so that the server does not notice."""

    def __init__(self, server: ThrowawayPostgres) -> None:
        self._directory = server.directory / "way"
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
def way(postgres: ThrowawayPostgres) -> Iterator[HalfOpen]:
    made = HalfOpen(postgres)
    yield made
    made.close()


def test_a_cut_that_the_server_does_not_notice(postgres: ThrowawayPostgres, way: HalfOpen) -> None:
    """Its session would hold the lock until the server's keepalive finds out."""
    store = fault_store()
    cuts = []

    def cut_once() -> float:
        if len(store.reads) >= 4 and not cuts:
            cuts.append(way.cut())
        return 1.0

    answer = etl(postgres, store, seconds_left=cut_once, connect=way.connect)
    assert cuts
    assert answer["status"] == "complete"
    add_up(answer)
    check(postgres, store)


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
        etl(postgres, store, connect=connect)
    other.close()
    etl(postgres, store)
    check(postgres, store)


def test_a_deadlock_is_tried_again(postgres: ThrowawayPostgres) -> None:
    store = fault_store()
    got = []
    # It is the loader whose patience ends first, and not before both wait.
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
            got.append("what the loader had")
            cursor.execute("ROLLBACK")

    thread = threading.Thread(target=wait_for_each_other)
    thread.start()
    # In chunks: the victim is in one thread, and the other one asks what is loaded.
    answer = etl(postgres, store)
    thread.join()
    rival.close()
    postgres.execute(f"ALTER ROLE {LOADER} RESET deadlock_timeout")
    assert got == ["what the loader had"]
    assert answer["status"] == "complete"
    add_up(answer)
    check(postgres, store)


# --- anything ----------------------------------------------------------------------------------------

EVENT = st.builds(
    lambda number, name, session: event(number, eventName=name, sessionId=session),
    st.integers(0, 12),
    st.sampled_from(["page_view", "purchase", "", "own"]),
    st.sampled_from(["s", "\x00", "\ud800", "tab\t"]),
)
OBJECT = st.builds(
    lambda events, second: raw(*events, received=f"2025-12-06T05:00:{second:02}Z"),
    st.lists(EVENT | st.just(5), max_size=5),
    st.integers(0, 59),
) | st.sampled_from([b"", b"[]", b"{}", b"null"])
PAYLOADS: list[dict[str, Any]] = [{}, {"reprocess": True}, {"prefix": "events/2025/12/06/"}]
STEP = st.one_of(
    st.tuples(st.just("put"), st.integers(0, 9), OBJECT),
    st.tuples(
        st.just("run"),
        st.just(0),
        st.sampled_from(PAYLOADS),
    ),
    st.tuples(st.just("fault"), st.integers(1, 60), st.sampled_from(["lost", "unknown", "killed"])),
    st.tuples(st.just("stop"), st.integers(1, 6), st.just({})),
    st.tuples(st.just("two"), st.just(0), st.tuples(st.sampled_from(PAYLOADS), st.sampled_from(PAYLOADS))),
)


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEP, max_size=14))
def test_any_history_ends_with_the_rows_of_a_plain_model(
    postgres: ThrowawayPostgres, steps: list[tuple[str, int, Any]]
) -> None:
    empty(postgres)
    store = RawStore()
    for action, number, detail in steps:
        if action == "put":
            # An object may be replaced, as a repair does.
            store.put(key(number), detail)
        elif action == "run":
            add_up(etl(postgres, store, detail))
        elif action == "fault":
            with suppress(Killed, psycopg2.OperationalError):
                etl(postgres, store, connect=Faults(postgres, number, detail).connect)
        elif action == "stop":
            add_up(etl(postgres, store, seconds_left=few_calls(number)))
        elif action == "two":
            at_once(postgres, store, detail)
    final = etl(postgres, store)
    add_up(final)
    assert final["status"] == "complete"
    check(postgres, store)


def at_once(server: ThrowawayPostgres, store: RawStore, payloads: Sequence[dict[str, Any]]) -> None:
    """Runs that begin together: one loads, the other leaves, or loads after it."""

    def attempt(payload: dict[str, Any]) -> str:
        try:
            answer = etl(server, store, payload)
        except Busy:
            return "busy"
        add_up(answer)
        return answer["status"]

    with ThreadPoolExecutor(len(payloads)) as pool:
        statuses = list(pool.map(attempt, payloads))
    assert "complete" in statuses
    assert set(statuses) <= {"complete", "busy"}


# --- partitions, retention, closed hours, replay ------------------------------------------------------


def partitions(server: ThrowawayPostgres) -> list[str]:
    """The weeks that exist."""
    found = server.execute(
        "SELECT relname FROM pg_inherits JOIN pg_class ON pg_class.oid = inhrelid "
        "WHERE inhparent = 'clickstream_events'::regclass AND relname <> 'clickstream_events_other' "
        "ORDER BY 1"
    )
    return [name for (name,) in found]


def test_an_id_is_one_row_whatever_the_week(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(2), raw(event(1), received="2025-12-06T05:00:00Z"))
    etl(postgres, store)
    # The first copy was received weeks ago and is loaded now: the row moves to its week.
    store.put(key(1, "2025/12/06/05"), raw(event(1), received="2025-11-10T05:00:00Z"))
    answer = etl(postgres, store)
    assert answer["events"] == {"read": 1, "loaded": 0, "duplicate": 1, "rejected": 0}
    [(week,)] = postgres.execute("SELECT tableoid::regclass::text FROM clickstream_events")
    assert week == "clickstream_events_20251110"
    check(postgres, store)


def test_times_for_which_no_week_can_be_are_rows_too(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number, received in enumerate(
        ["0001-01-01T00:00:00Z", "1999-05-05T00:00:00Z", "9999-12-31T23:59:59Z"]
    ):
        store.put(key(number), raw(event(number), received=received))
    etl(postgres, store)
    assert postgres.execute("SELECT count(*) FROM clickstream_events_other") == [(3,)]
    check(postgres, store, counts=False)  # Python has no such years in every time zone


def test_retention_drops_weeks_and_forgets_their_ids(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    now = datetime.now(UTC)
    for number, days in enumerate([0, 20, 80]):
        moment = now - timedelta(days=days)
        name = f"{moment:events/%Y/%m/%d/%H}/event-{number}.json"
        store.put(name, raw(event(number), received=moment.isoformat()))
    store.put(key("x"), raw(event(9), received="1999-05-05T00:00:00Z"))
    store.put(key("y"), raw({"eventName": 1}, {"eventName": 2}))
    etl(postgres, store, now=now)
    weeks = partitions(postgres)
    postgres.execute("UPDATE rejected_events SET rejected_at = now() - interval '31 days' WHERE position = 0")
    etl(postgres, store, tuning=replace(SMALL, retention_days=30), now=now)
    assert len(places(postgres)) == 2
    assert postgres.execute("SELECT count(*) FROM clickstream_event_ids") == [(2,)]
    assert postgres.execute("SELECT position FROM rejected_events") == [(1,)]
    expired = f"clickstream_events_{now - timedelta(days=80 + (now - timedelta(days=80)).weekday()):%Y%m%d}"
    assert expired in weeks and expired not in partitions(postgres)
    # The raw objects are still there: loading them again ends with what is kept.
    etl(postgres, store, {"reprocess": True}, tuning=replace(SMALL, retention_days=30), now=now)
    assert len(places(postgres)) == 2


def test_a_week_that_is_being_read_is_dropped_next_time(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1)))
    etl(postgres, store)
    reader = postgres.connect(READER)
    with reader.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM clickstream_events")
        etl(postgres, store, tuning=replace(SMALL, retention_days=1))
    reader.close()
    assert len(places(postgres)) == 1
    etl(postgres, store, tuning=replace(SMALL, retention_days=1))
    assert len(places(postgres)) == 0


def test_a_closed_hour_is_one_row_and_is_not_read_again(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(20):
        store.put(key(number, "2025/12/01/05"), raw(event(number)))
    etl(postgres, store)
    [(hour, count, hashed)] = postgres.execute("SELECT hour, objects, keys_hash FROM etl_closed_hours")
    infos = [info for page in store.pages(read_payload({})[0]) for info in page]
    assert (hour, count, int(hashed)) == ("events/2025/12/01/05", 20, keys_hash(infos))
    assert postgres.execute("SELECT count(*) FROM etl_objects") == [(0,)]
    again = {"start": "2025-12-01T00:00:00Z", "end": "2025-12-02T00:00:00Z"}
    assert etl(postgres, store, again)["objects"]["skipped"] == 20
    # One more object: the hour is read, and closes again with it.
    store.put(key(30, "2025/12/01/05"), raw(event(30)))
    answer = etl(postgres, store, again)
    assert (answer["objects"]["read"], answer["events"]["loaded"]) == (21, 1)
    postgres.execute("UPDATE etl_watermark SET listed_from = 'events/2025/12/02'")
    etl(postgres, store)
    assert etl(postgres, store, again)["objects"]["skipped"] == 21
    assert places(postgres) == model(store)[0]


def test_a_row_whose_event_is_refused_now_goes_and_its_other_copy_comes(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1), event(2), received="2025-12-06T05:00:01Z"))
    store.put(key(2), raw(event(3), received="2025-12-06T05:00:02Z"))
    store.put(key(3), raw(event(1), received="2025-12-06T05:00:03Z"))
    etl(postgres, store)
    assert places(postgres)[event(1)["eventId"]] == (key(1), 0)
    # The same as stricter rules: what stood in the object is no event any more.
    store.put(key(1), raw(event(1, eventName=5), event(2), received="2025-12-06T05:00:01Z"))
    etl(postgres, store, {"prefix": key(1)})
    etl(postgres, store)
    assert places(postgres)[event(1)["eventId"]] == (key(3), 0)
    check(postgres, store)


@pytest.mark.parametrize("reprocess", [False, True])
def test_a_full_rebuild_gives_identical_rows(postgres: ThrowawayPostgres, reprocess: bool) -> None:
    store = RawStore()
    for number in range(30):
        second = (number * 7) % 60
        copies = [event(n, sessionId=f"copy {number}") for n in range(number % 5, number + 3, 3)]
        store.put(key(number), raw(*copies, {"eventName": ""}, received=f"2025-12-06T05:00:{second:02}Z"))
        if number % 4 == 0:
            etl(postgres, store)
    etl(postgres, store)
    before = rows(postgres)
    if not reprocess:
        empty(postgres)
    etl(postgres, store, {"reprocess": True} if reprocess else {})
    assert rows(postgres) == before
    check(postgres, store)


def test_rejected_events_are_judged_again(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1), event(2, eventName=""), event(3, eventName="")))
    etl(postgres, store)
    assert len(postgres.execute("SELECT * FROM rejected_events")) == 2
    # Repaired in the raw object, in an hour that runs no longer list.
    postgres.execute("UPDATE etl_watermark SET listed_from = 'events/2025/12/07'")
    store.put(key(1), raw(event(1), event(2), event(3, eventName="")))
    answer = etl(postgres, store, {"replay": True})
    assert answer["events"] == {"read": 3, "loaded": 1, "duplicate": 1, "rejected": 1}
    assert len(places(postgres)) == 2
    check(postgres, store)


def test_what_the_collector_refused_can_be_replayed(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    # Sent by a clock that is a year late, as the body says beside them.
    sent = {"eventTimestamp": "2024-12-06T04:00:00Z"}
    late = {"sentAt": "2024-12-06T05:00:00Z", "events": [event(2, **sent), event(3, **sent)], "x": "too long"}
    refused: dict[str, Any] = {
        "rejected": [
            {"index": 4, "code": "event_too_large", "reason": "r", "event": event(1)},
            {"index": 5, "code": "no_event_name", "reason": "r", "event": {"x": 1}},
            {"code": "not_json", "reason": "r", "text": json.dumps(late), "truncated": False},
            {"code": "not_json", "reason": "r", "text": "[{", "truncated": True},
        ],
        "_ingest": {"receivedAt": "2025-12-06T05:00:01Z", "requestId": "r"},
    }
    store.put("rejected/2025/12/06/05/rejected-1.json", refused)
    assert etl(postgres, store)["objects"]["listed"] == 0
    answer = etl(postgres, store, {"prefix": "rejected/2025/12/06/"})
    assert answer["events"] == {"read": 5, "loaded": 3, "duplicate": 0, "rejected": 2}
    check(postgres, store)
    corrected = "SELECT event_timestamp FROM clickstream_events WHERE event_timestamp_source = 'corrected'"
    assert postgres.execute(corrected) == [(datetime(2025, 12, 6, 4, 0, 1, tzinfo=UTC),)] * 2
    # After another change of the rules: what was refused again is judged again, too.
    refused["rejected"][1]["event"] = event(5)
    store.put("rejected/2025/12/06/05/rejected-1.json", refused)
    store.put("rejected/2025/12/06/05/rejected-2.json", {"rejected": [{"base64": "//4="}], "_ingest": {}})
    answer = etl(postgres, store, {"prefix": "rejected/"})
    assert answer["events"] == {"read": 6, "loaded": 1, "duplicate": 3, "rejected": 2}
    assert etl(postgres, store, {"prefix": "rejected/"})["objects"]["read"] == 2
    check(postgres, store)
    assert ('"//4="',) in postgres.execute("SELECT raw_event FROM rejected_events")
    # The ledger does not grow with them.
    etl(postgres, store, now=NOW + timedelta(days=9))
    assert postgres.execute("SELECT * FROM etl_objects") == []


# --- roles and TLS -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "statement"),
    [
        (LOADER, "TRUNCATE clickstream_events"),
        (LOADER, "DROP TABLE clickstream_events"),
        (LOADER, "CREATE TABLE mine (a int)"),
        (READER, "INSERT INTO event_name_aliases VALUES ('a', 'b')"),
        (READER, "UPDATE clickstream_events SET event_name = 'x'"),
        (READER, "CREATE TABLE mine (a int)"),
    ],
)
def test_roles_may_do_no_more_than_they_need(postgres: ThrowawayPostgres, user: str, statement: str) -> None:
    connection = postgres.connect(user)
    with pytest.raises(psycopg2.errors.InsufficientPrivilege), connection.cursor() as cursor:
        cursor.execute(statement)
    connection.close()


def test_the_reader_reads_everything_and_the_seeds_columns_come_first(postgres: ThrowawayPostgres) -> None:
    connection = postgres.connect(READER)
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM clickstream_events")
        names = [column.name for column in cursor.description]
        for (table,) in postgres.execute(TABLES):
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
    connection.close()
    assert names[:16] == SEED_COLUMNS
    assert set(Row._fields) == set(names) - {"loaded_at", "visitor"}


def test_the_certificate_must_name_the_address(tmp_path: Path) -> None:
    """libpq checks an address against the certificate's names of that kind (verify-full)."""
    port = free_port()
    with throwaway_postgres(listen_addresses="127.0.0.1") as server:
        server.stop("fast")
        server.port = port
        ca = write_certificates(server.directory / "data", [ipaddress.ip_address("127.0.0.1")])
        (server.directory / "data" / "pg_hba.conf").write_text(
            "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n"
        )
        server.settings["ssl"] = "on"
        server.start()
        server.create_database()
        certificate = tmp_path / "ca.pem"
        certificate.write_bytes(ca)

        @contextmanager
        def ca_file() -> Iterator[str]:
            yield str(certificate)

        target = Target("127.0.0.1", port, LOADER, DATABASE, None, None, PASSWORD)
        with Warehouse(connector(target, PASSWORD, ca_file)) as warehouse:
            warehouse.start_run({})
        assert psycopg2.extensions.libpq_version() >= 150000
        for host, ca_of in (("localhost", ca), ("127.0.0.1", make_ca("another")[2])):
            certificate.write_bytes(ca_of)
            with pytest.raises(psycopg2.OperationalError, match="certificate"):
                connector(replace(target, host=host), PASSWORD, ca_file)()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def make_ca(name: str) -> tuple[Any, Any, bytes]:
    """A CA: its key, its certificate, and that as PEM."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    private = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    certificate = (
        x509.CertificateBuilder(subject, subject, private.public_key(), x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(private, hashes.SHA256())
    )
    return private, certificate, certificate.public_bytes(serialization.Encoding.PEM)


def write_certificates(directory: Path, addresses: list[Any]) -> bytes:
    """Give a server a certificate for these addresses; returns its CA's certificate as PEM."""
    import os

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    ca_key, ca, pem = make_ca("test CA")
    private = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "warehouse")]))
        .issuer_name(ca.subject)
        .public_key(private.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=1))
        .not_valid_after(datetime.now(UTC) + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(item) for item in addresses]), critical=False
        )
        .sign(ca_key, hashes.SHA256())
    )
    (directory / "server.crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    key_file = directory / "server.key"
    key_file.write_bytes(
        private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    key_file.chmod(0o600)
    owner = directory.stat()
    if os.geteuid() == 0:
        os.chown(key_file, owner.st_uid, owner.st_gid)
    return pem
