"""The ETL against a real PostgreSQL: rows hold what the raw objects hold, each event exactly once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import islice, permutations
from typing import Any

from contract.names import ALIASES
from etl.row import Row
from tests.support.etl import (
    SMALL,
    check_sums,
    check_warehouse,
    empty,
    event,
    key,
    places,
    raw,
    rows,
    run_etl,
)
from tests.support.postgres import ThrowawayPostgres
from tests.support.raw_store import RawStore


def test_a_row_has_the_values_of_its_event(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    full = event(
        0,
        eventName="add_to_cart",
        eventTimestamp="2025-12-06T12:00:00.123+07:00",
        pageUrl="https://shop/p?a=\\N&\tb=",
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
            "quantity": 3,
        },
        order={"id": " A\t1 ", "total": 9, "items": [{"name": "tab\t\\", "discountPrice": "1.5"}]},
        element={"tag": "button", "text": "Mua \x00 ngay", "dataset": {"a": [1, None]}},
    )
    store.put(key(1), raw(full))
    answer = run_etl(postgres, store)
    assert answer["events"] == {"read": 1, "loaded": 1, "duplicate": 0, "rejected": 0}
    [row] = postgres.execute(f"SELECT {', '.join(Row._fields)} FROM clickstream_events")  # noqa: S608
    found = dict(zip(Row._fields, row, strict=True))
    assert found["event_name"] == "add_to_cart_click"
    assert found["event_timestamp"] == datetime(2025, 12, 6, 5, 0, 0, 123000, tzinfo=UTC)
    assert found["page_url"] == full["pageUrl"] and found["referrer"] == full["referrer"]
    assert found["session_id"] == "s \ufffd \ufffd"
    assert found["is_first_visit"] is True and found["identity_verified"] is False
    assert str(found["context_product_price"]) == "4990000.46"
    assert str(found["context_product_discount_price"]) == "4490000.00"
    assert found["element"] == {"tag": "button", "text": "Mua \ufffd ngay", "dataset": {"a": [1, None]}}
    assert found["context_product_quantity"] == 3 and found["order_id"] == "A\t1"
    item = {"name": "tab\t\\", "discount_price": "1.50"}
    assert found["order_details"] == {"total": "9.00", "items": [item]}
    assert (found["source_object"], found["source_position"]) == (key(1), 0)


def test_the_highest_prices_fit_the_column(postgres: ThrowawayPostgres) -> None:
    """Prices below 10^13 are accepted: the column must hold them, also where it rounds them up."""
    prices: list[Any] = [10**13 - 1, "9999999999999.99", 9999999999999.998, "9999999999999.999", 10**13]
    store = RawStore()
    store.put(key(1), raw(*(event(number, product={"price": price}) for number, price in enumerate(prices))))
    answer = run_etl(postgres, store)
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
    answer = run_etl(postgres, store, tuning=replace(SMALL, chunk_objects=2))
    check_sums(answer)
    assert postgres.execute("SELECT chunks FROM etl_runs") == [(3,)], "of two, two and one objects"
    check_warehouse(postgres, store)


def test_a_second_run_changes_nothing(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for number in range(20):
        store.put(key(number), raw(event(2 * number), event(2 * number + 1)))
    first = run_etl(postgres, store)
    assert first["status"] == "complete" and first["events"]["loaded"] == 40
    before = postgres.execute("SELECT * FROM clickstream_events ORDER BY event_id")
    second = run_etl(postgres, store)
    assert second["objects"]["skipped"] == 20 and second["events"]["read"] == 0
    assert postgres.execute("SELECT * FROM clickstream_events ORDER BY event_id") == before
    check_warehouse(postgres, store)


def test_duplicates_within_and_across_objects(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(1), raw(event(1), event(1), event(2), received="2025-12-06T05:00:05Z"))
    store.put(key(2), raw(event(2), event(3), received="2025-12-06T05:00:02Z"))
    answer = run_etl(postgres, store)
    assert answer["events"] == {"read": 5, "loaded": 3, "duplicate": 2, "rejected": 0}
    # Event 2 reached the collector first in the object with the later key.
    assert places(postgres)[event(2)["eventId"]] == (key(2), 0)
    check_warehouse(postgres, store)


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
            run_etl(postgres, store)
        check_warehouse(postgres, store)
        results.append(rows(postgres))
    assert all(result == results[0] for result in results)


def test_a_prefix_and_a_time_span_select_objects(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    for hour in range(4, 9):
        store.put(key(1, f"2025/12/06/{hour:02}"), raw(event(hour)))
    assert run_etl(postgres, store, {"prefix": "events/2025/12/06/07/"})["events"]["loaded"] == 1
    span = {"start": "2025-12-06T05:30:00Z", "end": "2025-12-06T07:00:00Z"}
    assert run_etl(postgres, store, span)["events"]["loaded"] == 2
    assert {place[0][18:20] for place in places(postgres).values()} == {"05", "06", "07"}
    assert run_etl(postgres, store)["events"]["loaded"] == 2


def test_late_and_replaced_objects_are_loaded(postgres: ThrowawayPostgres) -> None:
    store = RawStore()
    store.put(key(5), raw(event(5)))
    run_etl(postgres, store)
    # A key before those that are loaded, and an event that is days late.
    store.put(key(1), raw(event(1, eventTimestamp="2025-12-01T00:00:00Z", sentAt="2025-12-06T05:00:01Z")))
    assert run_etl(postgres, store)["events"]["loaded"] == 1
    [(moment,)] = postgres.execute("SELECT min(event_timestamp) FROM clickstream_events")
    assert moment == datetime(2025, 12, 1, tzinfo=UTC)
    store.put(key(5), raw(event(5), event(6)))
    answer = run_etl(postgres, store)
    assert answer["objects"]["read"] == 1
    assert answer["events"] == {"read": 2, "loaded": 1, "duplicate": 1, "rejected": 0}
    check_warehouse(postgres, store)


def test_a_run_makes_the_aliases_in_the_warehouse_those_of_the_contract(postgres: ThrowawayPostgres) -> None:
    postgres.execute("INSERT INTO event_name_aliases VALUES ('old', 'gone'), ('purchase', 'wrong')")
    run_etl(postgres, RawStore())
    assert dict(postgres.execute("SELECT alias, event_name FROM event_name_aliases")) == ALIASES
