"""The ETL against a real PostgreSQL: objects that are loaded again, and refused events that are replayed."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from etl.settings import Tuning
from tests.support.etl import NOW, check_warehouse, empty, event, key, places, raw, rows, run_etl
from tests.support.postgres import LOADER, ThrowawayPostgres
from tests.support.raw_store import RawStore


def test_reprocessing_rebuilds_the_same_rows_and_repairs_changed_ones(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(12):
        store.put(key(number), raw(event(number), event(number + 1), {"eventName": ""}))
    run_etl(postgres, store)
    before = rows(postgres)
    postgres.execute(
        "UPDATE clickstream_events SET event_name = 'wrong', page_url = 'x' WHERE random() < 0.5"
    )
    answer = run_etl(postgres, store, {"reprocess": True})
    assert answer["events"] == {"read": 36, "loaded": 0, "duplicate": 24, "rejected": 12}
    assert rows(postgres) == before
    postgres.execute("TRUNCATE clickstream_events, clickstream_event_ids")
    run_etl(postgres, store, {"reprocess": True})
    assert rows(postgres) == before
    check_warehouse(postgres, store)


def test_reprocessing_looks_up_each_row_once(postgres: ThrowawayPostgres) -> None:
    """Of large batches: the planner would rather go through a batch's rows for each event, for minutes."""
    store = RawStore()
    for number in range(40):
        events = [event(number * 500 + place) for place in range(500)]
        store.put(key(number), raw(*events, received=f"2025-12-06T05:{number:02}:01Z"))
    run_etl(postgres, store, tuning=Tuning())
    postgres.execute("ANALYZE")
    patient = partial(postgres.connect, LOADER, options="-c statement_timeout=30s")
    answer = run_etl(postgres, store, {"reprocess": True}, tuning=Tuning(), connect=patient)
    assert answer["events"] == {"read": 20_000, "loaded": 0, "duplicate": 20_000, "rejected": 0}


@pytest.mark.parametrize("reprocess", [False, True])
def test_a_full_rebuild_gives_identical_rows(postgres: ThrowawayPostgres, reprocess: bool) -> None:
    store = RawStore()
    for number in range(30):
        second = (number * 7) % 60
        copies = [event(n, sessionId=f"copy {number}") for n in range(number % 5, number + 3, 3)]
        store.put(key(number), raw(*copies, {"eventName": ""}, received=f"2025-12-06T05:00:{second:02}Z"))
        if number % 4 == 0:
            run_etl(postgres, store)
    run_etl(postgres, store)
    before = rows(postgres)
    if not reprocess:
        empty(postgres)
    run_etl(postgres, store, {"reprocess": True} if reprocess else {})
    assert rows(postgres) == before
    check_warehouse(postgres, store)


def test_a_row_whose_event_is_now_invalid_is_replaced_by_its_other_copy(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1), event(2), received="2025-12-06T05:00:01Z"))
    store.put(key(2), raw(event(3), received="2025-12-06T05:00:02Z"))
    store.put(key(3), raw(event(1), received="2025-12-06T05:00:03Z"))
    run_etl(postgres, store)
    assert places(postgres)[event(1)["eventId"]] == (key(1), 0)
    # The same as stricter rules: what stood in the object is no event any more.
    store.put(key(1), raw(event(1, eventName=5), event(2), received="2025-12-06T05:00:01Z"))
    run_etl(postgres, store, {"prefix": key(1)})
    run_etl(postgres, store)
    assert places(postgres)[event(1)["eventId"]] == (key(3), 0)
    check_warehouse(postgres, store)


def test_a_replay_loads_rejected_events_that_are_valid_now(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1), event(2, eventName=""), event(3, eventName="")))
    run_etl(postgres, store)
    assert len(postgres.execute("SELECT * FROM rejected_events")) == 2
    # Repaired in the raw object, in an hour that runs no longer list.
    postgres.execute("UPDATE etl_watermark SET listed_from = 'events/2025/12/07'")
    store.put(key(1), raw(event(1), event(2), event(3, eventName="")))
    answer = run_etl(postgres, store, {"replay": True})
    assert answer["events"] == {"read": 3, "loaded": 1, "duplicate": 1, "rejected": 1}
    assert len(places(postgres)) == 2
    check_warehouse(postgres, store)


def test_events_that_the_collector_refused_can_be_loaded(postgres: ThrowawayPostgres) -> None:
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
    assert run_etl(postgres, store)["objects"]["listed"] == 0
    answer = run_etl(postgres, store, {"prefix": "rejected/2025/12/06/"})
    assert answer["events"] == {"read": 5, "loaded": 3, "duplicate": 0, "rejected": 2}
    check_warehouse(postgres, store)
    corrected = "SELECT event_timestamp FROM clickstream_events WHERE event_timestamp_source = 'corrected'"
    assert postgres.execute(corrected) == [(datetime(2025, 12, 6, 4, 0, 1, tzinfo=UTC),)] * 2
    # After another change of the rules: what was refused again is judged again, too.
    refused["rejected"][1]["event"] = event(5)
    store.put("rejected/2025/12/06/05/rejected-1.json", refused)
    store.put("rejected/2025/12/06/05/rejected-2.json", {"rejected": [{"base64": "//4="}], "_ingest": {}})
    answer = run_etl(postgres, store, {"prefix": "rejected/"})
    assert answer["events"] == {"read": 6, "loaded": 1, "duplicate": 3, "rejected": 2}
    assert run_etl(postgres, store, {"prefix": "rejected/"})["objects"]["read"] == 2
    check_warehouse(postgres, store)
    assert ('"//4="',) in postgres.execute("SELECT raw_event FROM rejected_events")
    # The ledger does not grow with them.
    run_etl(postgres, store, now=NOW + timedelta(days=9))
    assert postgres.execute("SELECT * FROM etl_objects") == []


def test_what_the_collector_says_it_refused_is_counted_once(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number, refusals in enumerate([{"events": 5, "kept": 2}, {"events": 1, "kept": 1}, None]):
        body = raw(event(number))
        if refusals:
            body["_ingest"]["refusals"] = refusals
        store.put(key(number), body)
    run_etl(postgres, store)
    run_etl(postgres, store)
    run_etl(postgres, store, {"reprocess": True})
    counted = "SELECT events_refused, events_refused_kept FROM etl_runs ORDER BY run_id"
    assert postgres.execute(counted) == [(6, 3), (0, 0), (0, 0)]
