"""The warehouse's model is at every commit what a plain count over the rows gives."""

from __future__ import annotations

import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import psycopg2
import psycopg2.extras
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.support.plain_model import TABLES, check_model
from tests.support.postgres import (
    LOADER,
    OWNER,
    READER,
    SCHEMA,
    ThrowawayPostgres,
    find_binaries,
    throwaway_postgres,
)

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")

# Monday, an hour before midnight in Ho Chi Minh City: sessions cross a day, a week and partitions.
START = datetime(2025, 11, 23, 16, 0, tzinfo=UTC)
NAMES = [
    "page_view",
    "page_view",
    "category_view",
    "product_view",
    "product_view",
    "add_to_cart_click",
    "remove_from_cart_click",
    "checkout_start",
    "checkout_complete",
]
LONG = "x" * 200
"""As long as a label may be: what goes on after it is the same."""


EMPTY = "TRUNCATE clickstream_events, clickstream_event_ids, catalogue; SELECT set_visitor_limit(%s)"


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as postgres:
        postgres.create_database()
        make_weeks(postgres)
        yield postgres


def make_weeks(server: ThrowawayPostgres) -> None:
    """Have partitions for all events of these tests."""
    weeks = "SELECT make_partitions(array_agg(at)) FROM generate_series(%s, %s, interval '1 day') AS at"
    server.execute(weeks, (START - timedelta(days=30), START + timedelta(days=30)))


@pytest.fixture
def postgres(server: ThrowawayPostgres) -> ThrowawayPostgres:
    server.execute(EMPTY, (5000,))
    return server


def dice(seed: object) -> Random:
    """The same data in every run."""
    return Random(repr(seed))  # noqa: S311


Row = dict[str, Any]


def row(at: datetime, name: str, client: str | None, **columns: Any) -> Row:
    """A row of the events; all have the same columns."""
    nothing = dict.fromkeys(
        (
            *("user_login_state", "page_url", "folded", "context_product_id", "context_product_name"),
            *("context_product_category", "context_product_brand", "context_product_url_path"),
            *("context_product_price", "context_product_discount_price", "context_product_quantity"),
            *("order_id", "order_details"),
        )
    )
    return {
        "event_id": str(uuid.uuid4()),
        "event_timestamp": at,
        "event_name": name,
        "client_id": client,
        "received_at": at,
        "loaded_at": at,
        "is_bot": False,
        "identity_verified": False,
        "event_timestamp_source": "client",
        "source_object": "events/o",
        "source_position": 0,
        **nothing,
        **columns,
    }


def some_event(random: Random, minutes: int = 400) -> Row:
    """An event of one of a few visitors, at one of a few instants: gaps, ties and joins are frequent."""
    at = START + timedelta(minutes=random.randrange(minutes))
    at += timedelta(seconds=random.choice([0, 0, 0, 5, 10, 11]))
    if random.random() < 0.2:
        at += timedelta(days=random.choice([-8, -1, 1, 9]))
    received = at + random.choice([timedelta(0), timedelta(seconds=2), timedelta(days=8)])
    name = random.choice(NAMES)
    event = row(
        at,
        name,
        random.choice(["one", "one", "two", "three", None]),
        event_id=str(uuid.UUID(int=random.getrandbits(128))),
        user_login_state=random.choice(["anonymous", "anonymous", "guest", "logged_in", "logged_in", None]),
        identity_verified=random.random() < 0.5,
        received_at=received,
        loaded_at=received + timedelta(minutes=random.choice([1, 15, 20, 90, 3000])),
        is_bot=random.random() < 0.1,
        page_url=random.choice([None, "/one", "/two"]),
    )
    product = random.choice([None, "p1", "p2", "p3"]) if name != "page_view" else None
    if product:
        category = random.choice(["laptop", "monitor", LONG + "1", LONG + "2", "", None])
        brand = random.choice(["Dell", "LG", None])
        event |= {
            "context_product_id": product,
            "context_product_name": random.choice([f"Laptop {product}", None]),
            "context_product_category": category,
            "context_product_brand": brand,
            "context_product_price": random.choice([None, 100, 200]),
            "context_product_discount_price": random.choice([None, None, 0, 90, 150]),
            "context_product_url_path": random.choice([None, None, f"/{product}"]),
            "context_product_quantity": random.choice([None, None, 0, 2]),
        }
        sent = 2 + (4 if category else 0) + (8 if brand else 0)
        event["folded"] = random.choice([0, 0, 0, 2, 4, 8, 14]) & sent or None
    if name == "checkout_complete" and random.random() < 0.7:
        event |= some_order(random)
    return event


def some_order(random: Random) -> Row:
    """An order that others have sent too, perhaps."""
    item = {"id": "p1", "category": "laptop", "brand": None, "price": "100.5", "quantity": "2"}
    other = {
        **random.choice([{"id": "p1"}, {"id": "p2"}, {}, {"id": "p2", "folded": "2"}]),
        "price": random.choice(["7", None]),
        "discount_price": "5",
    }
    details = {
        "total": random.choice(["99.5", None]),
        "currency": random.choice(["VND", "USD", None]),
        "items": random.choice([[], [item], [item, other], [other, item, item]]),
    }
    return {
        "order_id": random.choice([None, "o1", "o2", "o3"]),
        "order_details": random.choice([psycopg2.extras.Json(details)] * 2 + [None]),
    }


def insert(cursor: Any, events: list[Row]) -> None:
    """Insert rows in one statement."""
    columns, places = (
        ", ".join(events[0]),
        ", ".join([f"({', '.join(['%s'] * len(events[0]))})"] * len(events)),
    )
    values = [value for event in events for value in event.values()]
    cursor.execute(f"INSERT INTO clickstream_events ({columns}) VALUES {places}", values)  # noqa: S608


def change(server: ThrowawayPostgres, kind: str, random: Random) -> None:
    """One transaction as the loader does it, or somebody who repairs rows by hand."""
    connection = server.connect(LOADER)
    with connection, connection.cursor() as cursor:
        if kind == "insert":
            minutes = random.choice([20, 400])
            insert(cursor, [some_event(random, minutes) for _ in range(random.choice([1, 3, 20]))])
        elif kind == "delete":
            cursor.execute(
                "DELETE FROM clickstream_events WHERE hashtext(event_id::text) %% 5 = %s",
                (random.randrange(5),),
            )
        elif kind == "move":
            cursor.execute(
                "UPDATE clickstream_events SET event_timestamp = event_timestamp + %s, "
                "received_at = received_at + %s, event_name = %s, client_id = %s, "
                "folded = nullif(%s & (CASE WHEN context_product_id <> '' THEN 2 ELSE 0 END "
                "| CASE WHEN context_product_category <> '' THEN 4 ELSE 0 END "
                "| CASE WHEN context_product_brand <> '' THEN 8 ELSE 0 END), 0) "
                "WHERE hashtext(event_id::text) %% 7 = %s",
                (
                    timedelta(minutes=random.choice([-40, 3, 31])),
                    timedelta(days=random.choice([0, 7])),
                    random.choice(NAMES),
                    random.choice(["one", "two"]),
                    random.choice([0, 2, 12]),
                    random.randrange(7),
                ),
            )
    connection.close()
    if kind == "catalogue":
        server.execute("DELETE FROM catalogue WHERE id = %s", (random.choice(["p1", "p2", "p9"]),))
        for product in random.sample(["p1", "p2", "p9"], 2):
            price = random.choice([None, 95, 100])
            values = (product, *random.choice([("Own name", "own", "Own"), (None, None, None)]), price)
            server.execute(
                "INSERT INTO catalogue (id, name, category, brand, price, discount_price) "
                "VALUES (%s, %s, %s, %s, %s, %s) ON CONFLICT (id) DO UPDATE SET "
                "name = excluded.name, price = excluded.price, discount_price = excluded.discount_price",
                (*values, price and random.choice([None, 80])),
            )


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    kinds=st.lists(
        st.sampled_from(["insert", "insert", "insert", "delete", "move", "catalogue"]), max_size=8
    ),
    seed=st.integers(0, 2**32),
    limit=st.sampled_from([5000, 12]),
)
def test_the_model_is_a_plain_count_after_any_changes(
    postgres: ThrowawayPostgres, kinds: list[str], seed: int, limit: int
) -> None:
    postgres.execute(EMPTY, (limit,))
    random = dice(seed)
    for kind in kinds:
        change(postgres, kind, random)
        check_model(postgres)


def visit(server: ThrowawayPostgres, *steps: tuple[int, str, str | None]) -> None:
    """One visitor's events: seconds after the start, name and URL."""
    connection = server.connect(LOADER)
    with connection, connection.cursor() as cursor:
        for second, name, url in steps:
            at = START + timedelta(seconds=second)
            insert(cursor, [row(at, name, "one", page_url=url)])
    connection.close()
    check_model(server)


@pytest.mark.parametrize(
    ("steps", "pages", "bounces"),
    [
        # a page_view, and specific views of other pages
        (
            [
                (0, "page_view", "/"),
                *((at, "product_view", f"/{at}") for at in (20, 40, 60)),
                (70, "add_to_cart_click", "/60"),
            ],
            4,
            0,
        ),
        ([(0, "page_view", "/")], 1, 1),
        ([(0, "product_view", "/a")], 1, 1),  # a tracker without page_view
        ([(0, "page_view", "/a"), (10, "product_view", "/a")], 1, 1),  # both
        ([(0, "product_view", "/a"), (10, "page_view", "/a")], 1, 1),
        ([(0, "page_view", "/a"), (11, "product_view", "/a")], 2, 0),
        ([(0, "page_view", "/a"), (1, "product_view", "/b")], 2, 0),
        ([(0, "page_view", None), (1, "home_view", None)], 1, 1),
        ([(0, "page_view", "/a"), (1, "page_view", "/a")], 2, 0),  # a page_view alone says nothing of another
        ([(0, "category_view", "/a"), (1, "category_view", "/a")], 2, 0),
        ([(0, "page_view", "/"), (9, "add_to_cart_click", "/")], 1, 0),
        ([(0, "page_view", "/"), (9, "checkout_complete", "/")], 1, 0),
        ([(0, "click", "/")], 0, 0),
    ],
)
def test_a_page_seen_is_counted_once_whatever_a_tracker_sends(
    postgres: ThrowawayPostgres, steps: list[tuple[int, str, str | None]], pages: int, bounces: int
) -> None:
    visit(postgres, *steps)
    [found] = postgres.execute("SELECT sum(page_views), sum(bounces) FROM daily_sessions")
    assert found == (pages, bounces)
    [(found,)] = postgres.execute("SELECT coalesce(sum(pages), 0) FROM hourly_pages")
    assert found == pages


FULL = {
    "context_product_id": "lap-1",
    "context_product_name": "Laptop",
    "context_product_category": "laptops",
    "context_product_brand": "Acme",
    "context_product_price": 899,
    "context_product_discount_price": 849,
    "context_product_url_path": "/lap-1",
}
PRODUCT = "SELECT name, category, brand, price::int, discount_price::int, url_path FROM products"


@pytest.mark.parametrize(
    ("later", "known"),
    [
        ({"name": "Laptop"}, ("Laptop", "laptops", "Acme", 899, 849, "/lap-1")),  # a cart
        ({"brand": "ACME"}, ("Laptop", "laptops", "ACME", 899, 849, "/lap-1")),  # without a name
        ({"price": 899, "discount_price": 0}, ("Laptop", "laptops", "Acme", 899, None, "/lap-1")),
        ({"price": 899, "discount_price": 899}, ("Laptop", "laptops", "Acme", 899, None, "/lap-1")),
        ({"price": 999}, ("Laptop", "laptops", "Acme", 999, None, "/lap-1")),  # the discount is over
        ({"discount_price": 799}, ("Laptop", "laptops", "Acme", 899, 799, "/lap-1")),
        ({"discount_price": 0}, ("Laptop", "laptops", "Acme", 899, None, "/lap-1")),
    ],
)
def test_what_is_known_of_a_product_is_the_newest_of_each_field(
    postgres: ThrowawayPostgres, later: dict[str, Any], known: tuple[Any, ...]
) -> None:
    view = row(START, "product_view", "one", **FULL)
    cart = row(START + timedelta(minutes=1), "add_to_cart_click", "one", context_product_id="lap-1")
    cart |= {f"context_product_{name}": value for name, value in later.items()}
    connection = postgres.connect(LOADER)
    with connection, connection.cursor() as cursor:
        insert(cursor, [cart])
    with connection, connection.cursor() as cursor:
        insert(cursor, [view])  # late
    assert postgres.execute(PRODUCT) == [known]
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM clickstream_events WHERE event_name = 'add_to_cart_click'")
    connection.close()
    assert postgres.execute(PRODUCT) == [("Laptop", "laptops", "Acme", 899, 849, "/lap-1")]
    check_model(postgres)


SHOPS = {"name": "Laptop 14", "category": "computers", "brand": "ACME", "price": 799, "discount_price": 749}


@pytest.mark.parametrize(
    ("own", "known"),
    [
        (SHOPS, ("Laptop 14", "computers", "ACME", 799, 749, "/lap-1")),
        ({"price": 999}, ("Laptop", "laptops", "Acme", 999, None, "/lap-1")),  # and no discount
        ({"name": "Laptop 14"}, ("Laptop 14", "laptops", "Acme", 899, 849, "/lap-1")),
        ({}, ("Laptop", "laptops", "Acme", 899, 849, "/lap-1")),
    ],
)
def test_the_catalogue_overrules_what_events_say(
    postgres: ThrowawayPostgres, own: dict[str, Any], known: tuple[Any, ...]
) -> None:
    said = ("Laptop", "laptops", "Acme", 899, 849, "/lap-1")
    fresh(postgres, [row(START, "product_view", "one", identity_verified=True, **FULL)])
    names = ", ".join(["id", *own])
    postgres.execute(f"INSERT INTO catalogue ({names}) VALUES %s", (("lap-1", *own.values()),))  # noqa: S608
    assert postgres.execute(PRODUCT) == [known]
    fresh(postgres, [row(START + timedelta(minutes=1), "product_view", "one", **FULL)])
    assert postgres.execute(PRODUCT) == [known]
    postgres.execute("TRUNCATE catalogue")
    assert postgres.execute(PRODUCT) == [said]
    check_model(postgres)


def test_a_product_of_the_catalogue_is_there_without_events(postgres: ThrowawayPostgres) -> None:
    postgres.execute("INSERT INTO catalogue (id, name) VALUES ('lap-1', 'Laptop'), ('lap-2', NULL)")
    fresh(postgres, [row(START, "product_view", "one", context_product_id="lap-2")])
    check_model(postgres)
    postgres.execute("TRUNCATE clickstream_events")
    check_model(postgres)
    postgres.execute("UPDATE catalogue SET id = 'lap-3' WHERE id = 'lap-2'")
    assert postgres.execute("SELECT product_id, name FROM products ORDER BY 1") == [
        ("lap-1", "Laptop"),
        ("lap-3", ""),
    ]
    postgres.execute("DELETE FROM catalogue")
    assert postgres.execute(PRODUCT) == []


def test_the_reader_reads_the_catalogue_and_nobody_but_the_owner_writes_it(
    postgres: ThrowawayPostgres,
) -> None:
    for role, reads, writes in ((READER, True, False), (LOADER, False, False), (OWNER, True, True)):
        [found] = postgres.execute(
            "SELECT has_table_privilege(%(role)s, 'catalogue', 'SELECT'), "
            "has_table_privilege(%(role)s, 'catalogue', 'INSERT, UPDATE, DELETE, TRUNCATE')",
            {"role": role},
        )
        assert found == (reads, writes), role


RENAMED = {**FULL, "context_product_name": "Cheap", "context_product_price": 1}


def test_verified_events_overrule_others(postgres: ThrowawayPostgres) -> None:
    """Whenever they are loaded; and what no verified event knows, others may say."""
    verified = row(START, "product_view", "one", identity_verified=True, **FULL)
    verified |= {"context_product_brand": None}
    fresh(postgres, [row(START + timedelta(minutes=1), "product_view", "two", **RENAMED)])
    assert postgres.execute(PRODUCT) == [("Cheap", "laptops", "Acme", 1, None, "/lap-1")]
    fresh(postgres, [verified])
    assert postgres.execute(PRODUCT) == [("Laptop", "laptops", "Acme", 899, 849, "/lap-1")]
    postgres.execute("DELETE FROM clickstream_events WHERE identity_verified")
    check_model(postgres)
    assert postgres.execute(PRODUCT) == [("Cheap", "laptops", "Acme", 1, None, "/lap-1")]


def test_an_endless_client_has_sessions_of_a_day(postgres: ThrowawayPostgres) -> None:
    """An event each 20 minutes for four days, in any order of loading; then some go, and some move."""
    random = dice("endless")
    events = [row(START + timedelta(minutes=20 * number), "click", "one") for number in range(280)]
    kept, late = events[::7], [event for number, event in enumerate(events) if number % 7]
    random.shuffle(late)
    for part in (kept, events[1:2], *(late[place::3] for place in range(3))):
        fresh(postgres, part)
    lengths = postgres.execute("SELECT ended_at - started_at FROM sessions ORDER BY started_at")
    assert [length for (length,) in lengths] == [timedelta(hours=24)] * 3 + [timedelta(hours=20)]
    for event in (events[71], events[100], events[0]):  # one of them is a session's last
        postgres.execute("DELETE FROM clickstream_events WHERE event_id = %s", (event["event_id"],))
        check_model(postgres)
    change(postgres, "move", random)
    check_model(postgres)


def fresh(server: ThrowawayPostgres, events: list[Row]) -> None:
    """Insert what is not there yet, and check the model."""
    there = {event_id for (event_id,) in server.execute("SELECT event_id::text FROM clickstream_events")}
    new = [event for event in events if event["event_id"] not in there]
    connection = server.connect(LOADER)
    with connection, connection.cursor() as cursor:
        insert(cursor, new)
    connection.close()
    check_model(server)


def test_a_visitor_with_too_many_events_on_a_day_is_a_bot_for_that_day(postgres: ThrowawayPostgres) -> None:
    postgres.execute("SELECT set_visitor_limit(5)")
    day = [row(START + timedelta(minutes=5 * number), "page_view", "one", **FULL) for number in range(6)]
    other = row(START + timedelta(days=1), "page_view", "one")

    def seen() -> list[tuple[Any, ...]]:
        return postgres.execute(
            "SELECT (SELECT sum(sessions)::int FROM daily_sessions WHERE category = '' AND brand = ''), "
            "(SELECT count(*) FROM products), (SELECT sum(events)::int FROM daily_loads WHERE is_bot)"
        )

    fresh(postgres, [*day[:5], other])
    assert seen() == [(2, 1, None)]
    fresh(postgres, [day[5]])  # late
    assert seen() == [(1, 0, 6)]
    fresh(postgres, [row(START + timedelta(minutes=7), "page_view", "one", **FULL)])  # later still
    assert seen() == [(1, 0, 7)]
    postgres.execute("SELECT set_visitor_limit(6)")
    assert seen() == [(1, 0, 7)]
    postgres.execute("DELETE FROM clickstream_events WHERE event_id = %s", (day[0]["event_id"],))
    assert seen() == [(2, 1, None)]
    check_model(postgres)


def test_a_client_and_a_user_of_the_same_name_are_two_visitors(postgres: ThrowawayPostgres) -> None:
    events = [{**row(START, "page_view", None), "user_id": None, "session_id": None} for _ in range(3)]
    for event, kind in zip(events, ("client_id", "user_id", "session_id"), strict=True):
        event[kind] = "17"
    fresh(postgres, events)
    assert postgres.execute("SELECT sum(visitors)::int, sum(sessions)::int FROM daily_sessions") == [(3, 3)]


CART = {
    "context_product_category": "laptops",
    "context_product_price": 899,
    "context_product_discount_price": 849,
}


def cart(minutes: int, product: str, name: str = "add_to_cart_click", **more: Any) -> Row:
    """Something put into the cart, or taken out."""
    return row(START + timedelta(minutes=minutes), name, "one", context_product_id=product, **CART, **more)


def bought(minutes: int, client: str = "one", **more: Any) -> Row:
    return row(START + timedelta(minutes=minutes), "checkout_complete", client, **more)


LISTED = psycopg2.extras.Json(
    {"total": "1800", "items": [{"id": "a", "price": "900", "quantity": "2"}, {"id": "b", "price": "20"}]}
)


@pytest.mark.parametrize(
    ("events", "orders", "items"),
    [
        # a cart of an earlier session, two hours before
        ([cart(0, "a", context_product_quantity=2), bought(120)], [("", 1698, 2)], ["a"]),
        (
            [cart(0, "a"), cart(1, "b"), cart(2, "a", "remove_from_cart_click"), bought(120)],
            [("", 849, 1)],
            ["b"],
        ),
        ([cart(0, "a"), bought(1), cart(2, "b"), bought(3)], [("", 849, 1)] * 2, ["a", "b"]),
        ([cart(0, "a"), bought(30 * 1440 + 1)], [("", None, 0)], []),  # more than 30 days
        ([bought(0, order_id="o", order_details=LISTED)], [("o", 1800, 3)], ["a", "b"]),
        # the success page loaded again: at once, on another day, by somebody else
        (
            [
                bought(0, order_id="o", order_details=LISTED),
                bought(1, order_id="o"),
                bought(1500, "two", order_id="o"),
            ],
            [("o", 1800, 3)],
            ["a", "b"],
        ),
        ([bought(0), bought(1)], [("", None, 0)] * 2, []),  # without an id
    ],
)
def test_an_order_counts_once_and_says_what_was_bought(
    postgres: ThrowawayPostgres, events: list[Row], orders: list[Any], items: list[str]
) -> None:
    for event in reversed(events):
        fresh(postgres, [event])
    assert postgres.execute("SELECT order_id, total::int, units::int FROM orders ORDER BY at") == orders
    assert sorted(product for (product,) in postgres.execute("SELECT product_id FROM order_items")) == items
    [(completions,)] = postgres.execute("SELECT count(*) FROM funnel_events WHERE step = 4")
    assert completions == len(orders)


def test_an_order_without_a_person_is_an_order(postgres: ThrowawayPostgres) -> None:
    """It is nobody's visit, and an order id counts once, whoever sends it."""
    lone = row(START, "checkout_complete", None, order_id="o", order_details=LISTED)
    seen = (
        "SELECT (SELECT array_agg(order_id || ' ' || (visitor IS NULL) ORDER BY at) FROM orders), "
        "(SELECT count(*) FROM sessions WHERE category = '' AND brand = ''), "
        "(SELECT sum(purchases)::int FROM daily_products)"
    )
    again = row(START + timedelta(minutes=1), "checkout_complete", None, order_id="o")
    fresh(postgres, [bought(2, order_id="o", order_details=LISTED), again])
    assert postgres.execute(seen) == [(["o true"], 1, None)]
    fresh(postgres, [lone, row(START, "checkout_complete", None, **FULL)])
    assert postgres.execute(seen) == [([" true", "o true"], 1, 3)]
    postgres.execute("DELETE FROM clickstream_events WHERE order_id = 'o' AND visitor IS NULL")
    assert postgres.execute(seen) == [([" true", "o false"], 1, 3)]
    check_model(postgres)


def flood(random: Random, events: int, labels: int) -> list[Row]:
    """Events of one visitor within one session: every step, with as many categories and brands as that."""

    def one(number: int) -> Row:
        label = str(random.randrange(labels)) if random.random() < 0.9 else None
        return row(
            START + timedelta(seconds=random.randrange(events)),
            random.choice(NAMES),
            "flood",
            event_id=str(uuid.UUID(int=random.getrandbits(128))),
            user_login_state=random.choice(["anonymous", "anonymous", "guest"]),
            context_product_id=label,
            context_product_category=label and f"category {label}",
            context_product_brand=label and f"brand {label}",
            page_url=random.choice(["/one", "/two"]),
            source_position=number,
        )

    return [one(number) for number in range(events)]


def buyers(count: int, first: int) -> list[Row]:
    """Events of so many visitors: each fills a cart and buys, every other one with an order id."""
    at = START + timedelta(hours=2)
    return [
        row(
            at + timedelta(seconds=place),
            name,
            f"buyer {number}",
            context_product_id=f"p{number % 50}" if place == 0 else None,
            context_product_category=f"c{number % 5}" if place == 0 else None,
            order_id=f"o{number}" if place == 2 and number % 2 else None,
        )
        for number in range(first, first + count)
        for place, name in enumerate(("add_to_cart_click", "checkout_start", "checkout_complete"))
    ]


def test_a_large_load_costs_an_event_as_much_as_a_small_one_whatever_the_planner_believes(
    server: ThrowawayPostgres,
) -> None:
    # No table has statistics, and the session's plans are made when one event is loaded.
    server.create_database("linear")
    connection = server.connect(LOADER, "linear")

    def processor_time(events: list[Row]) -> float:
        stat = Path(f"/proc/{connection.info.backend_pid}/stat")
        before = sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13]))
        with connection, connection.cursor() as cursor:
            insert(cursor, events)
        return (sum(map(int, stat.read_text().rsplit(")", 1)[1].split()[11:13])) - before) / len(events)

    processor_time(buyers(1, 0)[:1])
    small = min(processor_time(buyers(300, first)) for first in (1000, 2000, 3000))
    large = processor_time(buyers(4000, 10_000))
    connection.close()
    server.execute("DROP DATABASE linear")
    assert large < 2.5 * small


@pytest.mark.parametrize(("events", "labels"), [(600, 1), (600, 8), (300, 300)])
def test_the_model_is_a_plain_count_after_a_flood_of_one_visitor(
    postgres: ThrowawayPostgres, events: int, labels: int
) -> None:
    random = dice((events, labels))
    sent = flood(random, events, labels)
    connection = postgres.connect(LOADER)
    for part in (sent[: events // 2], sent[events // 2 : -1], sent[-1:]):
        with connection, connection.cursor() as cursor:
            insert(cursor, part)
        check_model(postgres)
    connection.close()
    change(postgres, "delete", random)
    check_model(postgres)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "America/St_Johns"])
def test_a_rebuild_gives_the_same_in_any_time_zone(postgres: ThrowawayPostgres, zone: str) -> None:
    random = dice(zone)
    for _ in range(5):
        change(postgres, "insert", random)
    before = {table: sorted(postgres.execute(query), key=repr) for table, query in TABLES.items()}
    postgres.execute("SELECT rebuild_model()")
    assert before == {table: sorted(postgres.execute(query), key=repr) for table, query in TABLES.items()}
    try:
        postgres.execute("SELECT set_time_zone(%s)", (zone,))
        check_model(postgres)
        change(postgres, "insert", random)
        check_model(postgres)
    finally:
        postgres.execute("SELECT set_time_zone('Asia/Ho_Chi_Minh')")
    with pytest.raises(psycopg2.Error, match="no time zone"):
        postgres.execute("SELECT set_time_zone('Mars/Olympus')")


def test_an_upgrade_of_a_filled_warehouse_counts_what_is_there(
    postgres: ThrowawayPostgres, tmp_path: Path
) -> None:
    """A release of before, filled; then a table file and changed functions that need all counted anew."""
    before = tmp_path / "warehouse"
    shutil.copytree(SCHEMA, before)
    depths = before / "functions" / "session_depth.sql"
    depths.write_text(depths.read_text().replace("1, 2, 3, 4, 6", "1, 2, 3, 5, 6"))
    step = before / "functions" / "funnel_step.sql"
    step.write_text(step.read_text().replace("THEN 3", "THEN NULL"))
    postgres.create_database(schema=before)
    make_weeks(postgres)
    random = dice("upgrade")
    for _ in range(10):
        change(postgres, "insert", random)
    with pytest.raises(AssertionError):
        check_model(postgres)

    after = tmp_path / "after"
    shutil.copytree(SCHEMA, after)
    number = len(list((after / "tables").glob("*.sql"))) + 1
    (after / "tables" / f"{number:04d}_recount.sql").write_text(
        "ALTER TABLE public.daily_sessions ADD COLUMN checkout_sessions bigint NOT NULL DEFAULT 0;\n"
        "SET LOCAL warehouse_schema.afterwards = 'SELECT public.rebuild_model()';\n"
    )
    changes = postgres.apply_schema(after)
    assert [one.label for one in changes.objects] == [
        "function funnel_step: its file has changed",
        "function session_depth: its file has changed",
    ]
    check_model(postgres)
    change(postgres, "delete", random)
    change(postgres, "insert", random)
    check_model(postgres)
    postgres.create_database()  # for the tests after this one
    make_weeks(postgres)


@pytest.mark.parametrize(
    ("zone", "day", "starts"),
    [
        ("Asia/Ho_Chi_Minh", "2025-10-26", "2025-10-25T17:00Z"),
        ("Atlantic/Azores", "2025-10-26", "2025-10-26T00:00Z"),  # midnight occurs twice
        ("America/Havana", "2025-11-02", "2025-11-02T04:00Z"),
        ("Africa/Cairo", "2025-04-25", "2025-04-24T22:00Z"),  # never: the day begins at one
        ("Asia/Beirut", "2025-03-30", "2025-03-29T22:00Z"),
        ("Asia/Beirut", "2025-10-26", "2025-10-25T22:00Z"),  # the hour before midnight occurs twice
        ("Australia/Lord_Howe", "2026-04-05", "2026-04-04T13:00Z"),  # half an hour back, at two
        ("Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30Z"),  # half an hour forward
    ],
)
def test_a_day_begins_at_the_first_instant_of_its_date(
    postgres: ThrowawayPostgres, zone: str, day: str, starts: str
) -> None:
    [(first, last)] = postgres.execute(
        "SELECT day_start(%(day)s, %(zone)s), day_start(%(day)s::date + 1, %(zone)s)",
        {"day": day, "zone": zone},
    )
    assert first == datetime.fromisoformat(starts)
    try:
        postgres.execute("SELECT set_time_zone(%s)", (zone,))
        postgres.execute(
            "SELECT make_partitions(ARRAY[%s, %s])", (first - timedelta(hours=9), last + timedelta(hours=9))
        )
        fresh(postgres, [row(first + timedelta(minutes=7 * n), "page_view", f"{n}") for n in range(-60, 300)])
        inside = sum(0 <= 7 * n < (last - first) / timedelta(minutes=1) for n in range(-60, 300))
        for table in ("hourly_events", "daily_events", "hourly_pages"):
            column, number = (
                ("day" if table == "daily_events" else "hour"),
                ("pages" if table == "hourly_pages" else "events"),
            )
            query = f"SELECT sum({number})::int FROM {table} WHERE {column}::date = %s"  # noqa: S608
            assert postgres.execute(query, (day,)) == [(inside,)]
    finally:
        postgres.execute("TRUNCATE clickstream_events; SELECT set_time_zone('Asia/Ho_Chi_Minh')")


FUNNEL = ["product_view", "add_to_cart_click", "checkout_start", "checkout_complete"]


@pytest.mark.parametrize(
    ("steps", "gone"),
    [*((FUNNEL, gone) for gone in FUNNEL), (FUNNEL[:3], FUNNEL[2]), (FUNNEL[:2], FUNNEL[1])],
)
def test_a_step_of_the_funnel_that_goes_leaves_no_trace_in_sessions_before_it(
    postgres: ThrowawayPostgres, steps: list[str], gone: str
) -> None:
    times = [START + timedelta(days=day) for day in range(len(steps))]
    connection = postgres.connect(LOADER)
    with connection, connection.cursor() as cursor:
        insert(cursor, [row(at, step, "one") for at, step in zip(times, steps, strict=True)])
    check_model(postgres)
    with connection, connection.cursor() as cursor:
        cursor.execute("DELETE FROM clickstream_events WHERE event_name = %s", (gone,))
    connection.close()
    check_model(postgres)


def test_a_rolled_back_change_leaves_the_model(postgres: ThrowawayPostgres) -> None:
    random = dice(1)
    change(postgres, "insert", random)
    connection = postgres.connect(LOADER)
    with connection.cursor() as cursor:
        insert(cursor, [some_event(random) for _ in range(10)])
    connection.rollback()
    connection.close()
    check_model(postgres)


def test_writers_at_the_same_time_do_not_miss_each_other(postgres: ThrowawayPostgres) -> None:
    # Two events of one session, on two days: no count has a row for both.
    first, second = (row(START + timedelta(minutes=minutes), "page_view", "one") for minutes in (50, 65))
    one, other = postgres.connect(LOADER), postgres.connect(LOADER)
    with one.cursor() as cursor:
        insert(cursor, [first])
    with other.cursor() as cursor:
        cursor.execute("SET lock_timeout = '300ms'")
        with pytest.raises(psycopg2.errors.LockNotAvailable):
            insert(cursor, [second])
        other.rollback()
        one.commit()
        insert(cursor, [second])
        other.commit()
    one.close()
    other.close()
    check_model(postgres)
    assert postgres.execute("SELECT count(*) FROM sessions") == [(1,)]


@pytest.mark.parametrize("role", [LOADER, READER])
@pytest.mark.parametrize("table", TABLES)
def test_nobody_writes_the_model_but_its_trigger(postgres: ThrowawayPostgres, role: str, table: str) -> None:
    connection = postgres.connect(role)
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(f"DELETE FROM {table}")  # noqa: S608
    connection.close()
