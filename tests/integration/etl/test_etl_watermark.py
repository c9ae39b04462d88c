"""The ETL against a real PostgreSQL: time limits, the watermark and closed hours."""

from __future__ import annotations

from typing import Any

import pytest

from etl.listing import keys_hash
from etl.payload import read_payload
from etl.run import NothingRead
from tests.support.etl import (
    check_sums,
    check_warehouse,
    event,
    expected_rows,
    key,
    places,
    raw,
    run_etl,
    time_for_calls,
)
from tests.support.postgres import ThrowawayPostgres
from tests.support.raw_store import RawStore


def test_a_run_stops_before_its_limit_and_the_next_one_continues(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(40):
        store.put(key(number), raw(event(2 * number), event(2 * number + 1)))
    payload: dict[str, Any] = {"reprocess": True}
    seen, statuses = 0, []
    while True:
        answer = run_etl(postgres, store, payload, seconds_left=time_for_calls(12))
        check_sums(answer)
        seen += answer["objects"]["read"]
        statuses.append(answer["status"])
        if "next" not in answer:
            break
        assert answer["objects"]["left"] > 0
        assert str(answer["next"]["after"]) > str(payload.get("after", "")), "the next run continues"
        payload = answer["next"]
    assert seen == 40 and len(statuses) > 2
    assert statuses == ["incomplete"] * (len(statuses) - 1) + ["complete"]
    check_warehouse(postgres, store)


def test_old_hours_leave_the_ledger_and_their_failed_objects_are_still_tried(
    postgres: ThrowawayPostgres,
) -> None:
    store = RawStore()
    store.put(key(1, "2025/12/03/05"), raw(event(1)))
    store.put(key(2, "2025/12/03/06"), raw(event(2)))
    store.put(key(3, "2025/12/06/05"), raw(event(3)))
    store.unreadable.add(key(2, "2025/12/03/06"))
    run_etl(postgres, store)
    assert postgres.execute("SELECT listed_from FROM etl_watermark") == [("events/2025/12/04/06",)]
    assert postgres.execute("SELECT object_key FROM etl_objects") == [(key(3),)]
    # What no listing reaches any more is still tried, and loaded once it can be.
    with pytest.raises(NothingRead):
        run_etl(postgres, store)
    store.unreadable.clear()
    answer = run_etl(postgres, store)
    assert answer["listed_from"] == "events/2025/12/04/06"
    assert (answer["objects"]["listed"], answer["events"]["loaded"]) == (2, 1)
    # An object that somebody puts back into an old hour is loaded by naming it.
    store.put(key(0, "2025/12/03/05"), raw(event(0)))
    assert run_etl(postgres, store)["events"]["read"] == 0
    answer = run_etl(postgres, store, {"prefix": "events/2025/12/03/05/"})
    assert answer["events"] == {"read": 2, "loaded": 1, "duplicate": 1, "rejected": 0}
    assert len(places(postgres)) == 4


def test_a_run_that_only_skips_objects_stops_in_time_and_can_be_continued(
    postgres: ThrowawayPostgres,
) -> None:
    store = RawStore()
    for number in range(40):
        store.put(key(number), raw(event(number)))
    run_etl(postgres, store)
    payload: dict[str, Any] = {"prefix": "events/2025/"}
    listed = calls = 0
    while True:
        calls += 1
        answer = run_etl(postgres, store, payload, seconds_left=time_for_calls(2))
        check_sums(answer)
        listed += answer["objects"]["listed"]
        assert answer["objects"]["read"] == 0
        if answer["status"] == "complete":
            break
        assert answer["next"]["after"] > str(payload.get("after", ""))
        payload = answer["next"]
    assert (answer["status"], listed) == ("complete", 40)
    assert calls > 2


@pytest.mark.parametrize("calls", [0, 1, 3, 9, 14, 25])
def test_an_incomplete_run_moves_the_watermark_to_where_it_stopped(
    postgres: ThrowawayPostgres, calls: int
) -> None:
    """The schedule asks for everything: it must not begin at the beginning each time."""
    store = RawStore()
    for hour in range(6):
        for number in range(5):
            store.put(key(number, f"2025/12/01/{hour:02}"), raw(event(10 * hour + number)))
    store.unreadable.add(key(2, "2025/12/01/01"))
    gone = key(3, "2025/12/01/01")
    store.gone.add(gone)
    answer = run_etl(postgres, store, seconds_left=time_for_calls(calls))
    check_sums(answer)
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
    again = run_etl(postgres, store)
    assert again["objects"]["listed"] <= len(waiting) + 1
    assert places(postgres) == expected_rows(store)[0]


def test_a_closed_hour_is_one_row_and_is_not_read_again(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(20):
        store.put(key(number, "2025/12/01/05"), raw(event(number)))
    run_etl(postgres, store)
    [(hour, count, hashed)] = postgres.execute("SELECT hour, objects, keys_hash FROM etl_closed_hours")
    infos = [info for page in store.pages(read_payload({})[0]) for info in page]
    assert (hour, count, int(hashed)) == ("events/2025/12/01/05", 20, keys_hash(infos))
    assert postgres.execute("SELECT count(*) FROM etl_objects") == [(0,)]
    again = {"start": "2025-12-01T00:00:00Z", "end": "2025-12-02T00:00:00Z"}
    assert run_etl(postgres, store, again)["objects"]["skipped"] == 20
    # One more object: the hour is read, and closes again with it.
    store.put(key(30, "2025/12/01/05"), raw(event(30)))
    answer = run_etl(postgres, store, again)
    assert (answer["objects"]["read"], answer["events"]["loaded"]) == (21, 1)
    postgres.execute("UPDATE etl_watermark SET listed_from = 'events/2025/12/02'")
    run_etl(postgres, store)
    assert run_etl(postgres, store, again)["objects"]["skipped"] == 21
    assert places(postgres) == expected_rows(store)[0]


def test_skipping_a_closed_hour_skips_no_object_of_the_hour_before_it(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for hour in ("05", "06"):
        for number in range(3):
            store.put(key(number, f"2025/12/01/{hour}"), raw(event(int(hour) * 10 + number)))
    run_etl(postgres, store)
    # Both are closed. One more object comes into the first: what is left of it is not to be passed over.
    late = key(9, "2025/12/01/05")
    store.put(late, raw(event(9)))
    payload: dict[str, Any] = {"start": "2025-12-01T00:00:00Z"}
    calls, after = 0, ""
    while after < late:
        answer = run_etl(postgres, store, payload, seconds_left=time_for_calls(calls))
        after = str(answer["next"]["after"]) if "next" in answer else "f"
        calls += 1
    assert late in {source for source, _ in places(postgres).values()}


@pytest.mark.parametrize(
    "payload",
    [
        {"prefix": "events/2025/12/01/06/"},
        {"start": "2025-12-01T06:00:00Z"},
        {"after": "events/2025/12/01/06", "reprocess": True},
        {"after": "events/2025/12/01/06"},
    ],
)
def test_a_backfill_does_not_move_the_watermark_past_what_it_did_not_list(
    postgres: ThrowawayPostgres, payload: dict[str, Any]
) -> None:
    store = RawStore()
    for hour in ("2025/12/01/05", "2025/12/01/06"):
        for number in range(10):
            store.put(key(number, hour), raw(event(number)))
    run_etl(postgres, store, payload)
    unfinished = run_etl(postgres, store, seconds_left=time_for_calls(8))
    assert unfinished["status"] == "incomplete"
    assert unfinished["next"]["after"]
    [(come_to,)] = postgres.execute("SELECT listed_from FROM etl_watermark")
    assert come_to == "events/2025/12/01/05"
    run_etl(postgres, store, unfinished["next"])
    assert postgres.execute("SELECT listed_from FROM etl_watermark") == [(come_to,)]
    run_etl(postgres, store)
    assert postgres.execute("SELECT listed_from FROM etl_watermark") == [("events/2025/12/04/06",)]
    assert places(postgres) == expected_rows(store)[0]
