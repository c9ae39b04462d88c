"""Runs of the ETL against a throwaway PostgreSQL, and what the warehouse must hold afterwards."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from contract.timestamps import ClockRules
from etl.answer import Answer
from etl.connection import Connect
from etl.payload import read_payload
from etl.records import read_object
from etl.row import Row
from etl.run import Run
from etl.settings import Tuning
from etl.warehouse import Warehouse
from tests.support.plain_model import check_model
from tests.support.postgres import LOADER, ThrowawayPostgres
from tests.support.raw_store import LAST_MODIFIED, RawStore

NOW = datetime(2025, 12, 6, 6, 0, tzinfo=UTC)
RULES = ClockRules()
SMALL = Tuning(readers=4, chunk_events=5)
ROWS = "SELECT to_jsonb(clickstream_events) - 'loaded_at' FROM clickstream_events ORDER BY event_id"


def empty(server: ThrowawayPostgres) -> None:
    """Make the warehouse empty, as its migrations leave it."""
    server.execute(
        "TRUNCATE clickstream_events, clickstream_event_ids, clickstream_event_copies, etl_runs, "
        "etl_objects, etl_closed_hours, etl_object_failures, rejected_events, "
        "event_name_aliases, labels; UPDATE etl_watermark SET listed_from = ''"
    )


def short_pause(seconds: float) -> None:
    """Wait for a twentieth of the time: the server is on this machine."""
    time.sleep(seconds / 20)


def run_etl(
    server: ThrowawayPostgres,
    store: RawStore,
    payload: dict[str, Any] | None = None,
    tuning: Tuning = SMALL,
    seconds_left: Callable[[], float] = lambda: 900.0,
    connect: Connect | None = None,
    now: datetime = NOW,
) -> Answer:
    """Run the ETL once, as the handler does, with the function's time."""
    selection, given_payload = read_payload(payload or {})
    with Warehouse(connect or (lambda: server.connect(LOADER)), pause=short_pause) as warehouse:
        run = Run(store, warehouse, selection, tuning, RULES, seconds_left)
        return run.load(given_payload, now)


def time_for_calls(calls: int) -> Callable[[], float]:
    """Return a clock on which the time is over after so many calls."""
    budget = iter([1.0] * calls)
    return lambda: next(budget, 0.0)


def key(number: int | str, hour: str = "2025/12/06/05") -> str:
    """Return the key of a raw object."""
    return f"events/{hour}/event-{number:>06}.json"


def event(number: int, **changes: Any) -> dict[str, Any]:
    """Return an event as a client sends it; its id depends on `number` alone."""
    return {
        "eventId": str(uuid.UUID(int=number + 1)),
        "eventName": "page_view",
        "eventTimestamp": "2025-12-06T05:00:00Z",
        "clientId": f"client-{number}",
        **changes,
    }


def raw(*events: Any, received: str = "2025-12-06T05:00:01Z") -> dict[str, Any]:
    """Return a raw object as the collector stores it."""
    return {"events": list(events), "_ingest": {"receivedAt": received, "requestId": "r"}}


def rows(server: ThrowawayPostgres) -> list[tuple[Any, ...]]:
    """Return all rows, without their time of loading."""
    return server.execute(ROWS)


def places(server: ThrowawayPostgres) -> dict[str, tuple[str, int]]:
    """Return event id -> object and position of the copy that is its row."""
    found = server.execute("SELECT event_id, source_object, source_position FROM clickstream_events")
    return {row[0]: (row[1], row[2]) for row in found}


def expected_rows(store: RawStore) -> tuple[dict[str, tuple[str, int]], set[tuple[str, int]]]:
    """Compute plainly what the warehouse must hold.

    Returns event id -> object and position of its first copy, and the places of rejected events.
    """
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


def check_warehouse(server: ThrowawayPostgres, store: RawStore, counts: bool = True) -> None:
    """Check that rows, ledger and counts of the warehouse are those of the raw objects."""
    expected, rejected = expected_rows(store)
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
    """Check that ids and rows belong together one to one."""
    taken = server.execute("SELECT event_id, received_at FROM clickstream_event_ids")
    assert set(server.execute("SELECT event_id, received_at FROM clickstream_events")) == set(taken)


def check_sums(answer: Answer) -> None:
    """Check that the counts of an answer add up."""
    objects, events = answer["objects"], answer["events"]
    assert objects["listed"] == sum(objects[name] for name in ("skipped", "read", "failed", "left"))  # type: ignore[literal-required]
    assert events["read"] == events["loaded"] + events["duplicate"] + events["rejected"]
