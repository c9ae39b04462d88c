"""What anybody can name is bounded: beyond a number of new labels a day, new ones count as "(other)"."""

from __future__ import annotations

import itertools
from random import Random
from typing import Any

import pytest

from etl.labels import LabelLimits
from etl.settings import Tuning
from tests.support.etl import check_warehouse, empty, event, key, raw, rows, run_etl
from tests.support.plain_model import TABLES
from tests.support.postgres import ThrowawayPostgres
from tests.support.raw_store import RawStore

LIMITS = LabelLimits(products=3, categories=2, brands=2, event_names=1)
TUNING = Tuning(readers=4, chunk_events=5, new_labels=LIMITS)
BITS = "SELECT event_id, folded FROM clickstream_events ORDER BY event_id"
OF_THE_LOADER = "SELECT kind, value, day, source_object, position FROM labels ORDER BY kind, value"
FOLDED = (
    "SELECT event_name, context_product_id, folded FROM clickstream_events "
    "WHERE folded IS NOT NULL ORDER BY 1, 2"
)
CATEGORIES = (
    "SELECT category, sum(events)::integer FROM daily_events WHERE category <> '' GROUP BY 1 ORDER BY 1"
)


def product(number: int, **changes: Any) -> dict[str, Any]:
    """Return an event of a product whose labels are all its own."""
    own = {"id": f"p{number}", "name": f"P{number}", "category": f"c{number}", "brand": f"b{number}"}
    return event(number, eventName="product_view", product={**own, **changes})


def store_of(objects: dict[str, Any]) -> RawStore:
    """Return a bucket that holds these objects."""
    store = RawStore()
    for name, body in objects.items():
        store.put(name, body)
    return store


def load(server: ThrowawayPostgres, store: RawStore, **given: Any) -> None:
    """Load what is in the store, and check the warehouse against a plain count."""
    run_etl(server, store, tuning=TUNING, **given)
    check_warehouse(server, store)


def test_beyond_the_limit_new_labels_count_as_other_and_rows_keep_what_was_sent(
    postgres: ThrowawayPostgres,
) -> None:
    store = store_of({key(1): raw(*map(product, range(5)))})
    load(postgres, store)
    assert postgres.execute(CATEGORIES) == [("(other)", 3), ("c0", 1), ("c1", 1)]
    assert postgres.execute("SELECT product_id FROM products ORDER BY 1") == [("p0",), ("p1",), ("p2",)]
    sums = "SELECT product_id, views FROM daily_products ORDER BY 1"
    assert postgres.execute(sums) == [("(other)", 2), ("p0", 1), ("p1", 1), ("p2", 1)]
    assert postgres.execute(BITS) and [bits for _, bits in postgres.execute(BITS)] == [None, None, 12, 14, 14]
    sent = "SELECT context_product_category FROM clickstream_events ORDER BY 1"
    assert postgres.execute(sent) == [(f"c{number}",) for number in range(5)]
    before = {table: sorted(postgres.execute(query), key=repr) for table, query in TABLES.items()}
    postgres.execute("SELECT rebuild_model()")
    assert before == {table: sorted(postgres.execute(query), key=repr) for table, query in TABLES.items()}


def test_a_label_that_is_known_counts_under_its_name_whatever_comes_with_it(
    postgres: ThrowawayPostgres,
) -> None:
    """A flood of the next day takes nothing from what the shop has had, and is bounded itself."""
    store = store_of({key(1): raw(product(0), product(1))})
    load(postgres, store)
    flood = [product(number) for number in range(10, 20)]
    again = [product(number, category="c0", brand="b1", id="p1") for number in range(20, 22)]
    store.put(key(1, "2025/12/07/05"), raw(*flood, *again, received="2025-12-07T05:00:01Z"))
    load(postgres, store)
    assert postgres.execute(CATEGORIES) == [("(other)", 8), ("c0", 3), ("c1", 1), ("c10", 1), ("c11", 1)]


def test_the_platforms_own_event_names_and_bots_are_never_folded_nor_counted(
    postgres: ThrowawayPostgres,
) -> None:
    named = [event(number, eventName=name) for number, name in enumerate(["one", "two", "click", "purchase"])]
    bots = raw(*(product(number) for number in range(10, 20)))
    bots["_ingest"]["userAgent"] = "Googlebot/2.1"
    store = store_of({key(1): bots, key(2): raw(*named), key(3): raw(product(4))})
    load(postgres, store)
    assert postgres.execute(FOLDED) == [("two", None, 1)]
    assert postgres.execute(CATEGORIES) == [("c4", 1)]


def order(number: int, *items: int) -> dict[str, Any]:
    """An order of products whose labels are all their own."""
    listed = [
        {"id": f"p{item}", "category": f"c{item}", "brand": f"b{item}", "price": 10, "quantity": 2}
        for item in items
    ]
    return event(number, eventName="checkout_complete", order={"id": f"o{number}", "items": listed})


ITEMS = "SELECT product_id, category, brand, quantity::int FROM order_items ORDER BY 1, 2, 3"


def test_labels_of_an_orders_items_are_folded_as_others(postgres: ThrowawayPostgres) -> None:
    store = store_of({key(1): raw(order(1, 1, 2, 3, 4, 5))})
    load(postgres, store)
    assert postgres.execute(ITEMS) == [
        ("(other)", "(other)", "(other)", 4),
        ("p1", "c1", "b1", 2),
        ("p2", "c2", "b2", 2),
        ("p3", "(other)", "(other)", 2),
    ]
    sent = (
        "SELECT item ->> 'id' FROM clickstream_events, jsonb_array_elements(order_details -> 'items') AS item"
    )
    assert [name for (name,) in postgres.execute(sent)] == ["p1", "p2", "p3", "p4", "p5"]
    # An object that was received before them takes the place of two.
    store.put(key(0), raw(product(8), product(9)))
    load(postgres, store)
    assert postgres.execute(ITEMS) == [("(other)", "(other)", "(other)", 8), ("p1", "(other)", "(other)", 2)]


def test_labels_of_items_that_are_escaped(postgres: ThrowawayPostgres) -> None:
    sent = order(1, 1, 2, 3, 4)
    sent["order"]["items"][3] |= {"id": 'z\tb\\c"', "name": "Phím\u00a0\\"}
    load(postgres, store_of({key(1): raw(sent)}))
    stored = "SELECT order_details -> 'items' -> 3 ->> 'id', order_details -> 'items' -> 3 ->> 'folded'"
    assert postgres.execute(f"{stored} FROM clickstream_events") == [('z\tb\\c"', "14")]


def some_objects(random: Random) -> dict[str, Any]:
    """Objects of one day with more labels than count, most of them in several objects."""
    number = itertools.count()
    labels = range(6)

    def one() -> dict[str, Any]:
        parts = {name: f"{name}{random.choice(labels)}" for name in ("id", "category", "brand")}
        sent_number = next(number)
        sent = event(sent_number, eventName=random.choice(["x", "y", "product_view"]))
        if random.random() < 0.3:
            items = [random.choice(labels) for _ in range(random.randrange(4))]
            return {**order(sent_number, *items), "product": {**parts, "name": "P"}}
        return {**sent, "product": {**parts, "name": "P"}}

    return {key(place): raw(*(one() for _ in range(random.choice([1, 3])))) for place in range(8)}


@pytest.mark.parametrize("seed", range(8))
def test_any_order_of_a_days_objects_gives_the_same(postgres: ThrowawayPostgres, seed: int) -> None:
    random = Random(seed)  # noqa: S311
    objects = some_objects(random)
    whole = store_of(objects)
    load(postgres, whole)
    expected = rows(postgres), postgres.execute(OF_THE_LOADER)
    assert postgres.execute("SELECT count(*) FROM clickstream_events WHERE folded IS NOT NULL") != [(0,)]

    empty(postgres)
    keys = list(objects)
    random.shuffle(keys)
    store = RawStore()
    while keys:
        # Runs of one, two or three objects at a time.
        for name in [keys.pop() for _ in range(min(len(keys), random.choice([1, 2, 3])))]:
            store.put(name, objects[name])
        load(postgres, store)
    assert (rows(postgres), postgres.execute(OF_THE_LOADER)) == expected
    load(postgres, store, payload={"prefix": "events/", "reprocess": True})
    assert (rows(postgres), postgres.execute(OF_THE_LOADER)) == expected


def test_a_day_that_met_its_limit_stays_as_it_was_when_it_is_read_again(postgres: ThrowawayPostgres) -> None:
    """Although what it folded has counted under its own name since the next day."""
    store = store_of({key(1): raw(*map(product, range(4)))})
    load(postgres, store)
    later = raw(product(10, category="c3"), received="2025-12-07T05:00:01Z")
    store.put(key(1, "2025/12/07/05"), later)
    load(postgres, store)
    before = rows(postgres), postgres.execute(OF_THE_LOADER)
    assert postgres.execute(CATEGORIES) == [("(other)", 2), ("c0", 1), ("c1", 1), ("c3", 1)]
    load(postgres, store, payload={"prefix": "events/2025/12/06/", "reprocess": True})
    assert (rows(postgres), postgres.execute(OF_THE_LOADER)) == before


def test_labels_longer_than_a_label_and_with_signs_that_are_escaped(postgres: ThrowawayPostgres) -> None:
    """Two texts that are the same label are one; what COPY escapes is compared as it was sent."""
    long = "x" * 200
    sent = [
        product(0, category=long + "1"),
        product(1, category=long + "2", brand="a\tb\\c\n"),
        product(2, category="back\\slash"),
        product(3, category="back\\slash", brand="a\tb\\c\n"),
        product(4, category="one more"),
    ]
    load(postgres, store_of({key(1): raw(*sent)}))
    assert postgres.execute(CATEGORIES) == [("(other)", 1), ("back\\slash", 2), (long, 2)]


def test_expiry_forgets_the_labels_that_nothing_counts_under(postgres: ThrowawayPostgres) -> None:
    store = store_of({key(1): raw(product(0), product(1))})
    load(postgres, store)
    hour = "2025/12/20/05"
    store.put(key(1, hour), raw(product(10, category="c0"), received="2025-12-20T05:00:01Z"))
    run_etl(postgres, store, tuning=TUNING)
    days = "SELECT greatest(1, (now()::date - date '2025-12-15'))"
    [(keep,)] = postgres.execute(days)
    while postgres.execute("SELECT drop_expired_partitions(%s)", (keep,)) != [(0,)]:
        pass
    assert postgres.execute("SELECT value FROM labels WHERE kind = 4") == [("c0",)]
    assert postgres.execute("SELECT value FROM labels WHERE kind = 2") == [("p10",)]
