"""Every number of the dashboard is what a plain count over the rows gives (tests/support/plain_dashboard.py).

All columns are compared, for periods, time zones and filters in combination.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import product
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2.extras
import pytest

from tests.support import plain_dashboard as plainly
from tests.support.dashboard_queries import dashboard_queries
from tests.support.plain_dashboard import Asked, Plain, Rows, local
from tests.support.postgres import READER, ThrowawayPostgres, find_binaries, throwaway_postgres

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")

QUERIES = dashboard_queries()

ZONES = ["America/St_Johns", "America/Havana"]
START = datetime(2025, 10, 30, tzinfo=UTC)
"""Clocks go back on 2 November: in St. John's, whose days begin at half past three UTC, and in Havana."""
DAYS = 8
PERIODS = [
    (date(2025, 10, 29), date(2025, 11, 7)),  # all
    (date(2025, 10, 31), date(2025, 11, 3)),  # sessions and visitors on both sides
    (date(2025, 11, 1), date(2025, 11, 2)),
    (date(2025, 11, 2), date(2025, 11, 2)),
    (date(2025, 9, 1), date(2025, 9, 2)),  # nothing
]
FILTERS = [  # login state, category, brand
    ("", "", ""),
    ("logged_in", "", ""),
    ("verified", "", ""),
    ("", "laptop", ""),
    ("", "", "LG"),
    ("", "laptop", "Dell"),
    ("anonymous", "laptop", "Dell"),
    ("guest", "", "LG"),
    ("", "no such", ""),
]


# --- A shop's events ----------------------------------------------------------------------------------


CATALOGUE = {
    # id: categories and brands that it was seen with
    "p1": (["laptop"], ["Dell"]),
    "p2": (["laptop", "monitor"], ["LG", "Dell"]),
    "p3": (["monitor"], ["LG"]),
    "p4": ([None], [None, "LG"]),
    "p5": (["mouse"], [None]),
}
NAMES = [
    *("page_view", "page_view", "home_view", "product_view", "product_view", "add_to_cart_click"),
    *("remove_from_cart_click", "checkout_start", "checkout_complete", "click"),
]
PATH = ["page_view", "product_view", "add_to_cart_click", "checkout_start", "checkout_complete"]


def some_event(
    random: Random, at: datetime, name: str, is_bot: bool = False, **identity: str
) -> dict[str, Any]:
    product_id = random.choice([*CATALOGUE, None]) if name not in ("page_view", "checkout_start") else None
    if name == "checkout_complete" and random.random() < 0.7:
        product_id = None  # then it is the cart that is bought
    categories, brands = CATALOGUE.get(product_id or "", ([None], [None]))
    price = random.choice([None, 0, 100, 2_000_000]) if product_id else None
    received = at + random.choice([timedelta(seconds=1), timedelta(seconds=1), timedelta(days=9)])
    order: dict[str, Any] | None = None
    if name == "checkout_complete" and random.random() < 0.6:
        listed = {"id": "p2", "category": "monitor", "brand": "LG", "price": "120.50", "quantity": "3"}
        other = {"id": "p5", "category": "mouse", "price": "1000", "discount_price": "10"}
        order = {
            "total": random.choice(["99.50", None]),
            "currency": random.choice(["VND", "VND", "USD", None]),
            "items": random.choice([[], [listed], [listed, other]]),
        }
    return {
        "event_id": str(uuid.UUID(int=random.getrandbits(128))),
        "event_timestamp": at,
        "event_name": name,
        "user_login_state": random.choice(
            ["anonymous", "anonymous", "anonymous", "guest", "logged_in", "logged_in", None]
        ),
        "identity_verified": random.random() < 0.5,
        "client_id": identity.get("client_id"),
        "user_id": identity.get("user_id"),
        "context_product_id": product_id,
        "context_product_name": random.choice([f"Product {product_id}", "", None]) if product_id else None,
        "context_product_category": random.choice(categories),
        "context_product_brand": random.choice(brands),
        "context_product_price": price,
        "context_product_discount_price": random.choice([None, 2, 80, 90]) if price else None,
        "context_product_quantity": random.choice([None, None, 2]) if product_id else None,
        "order_id": random.choice([None, f"o{random.randrange(40)}"]) if order else None,
        "order_details": order,
        "page_url": random.choice(["https://shop.example/a", "https://shop.example/b", None]),
        "referrer": random.choice(["https://www.google.com/", None]),
        "element": random.choice(
            [
                None,
                {"text": "Mua", "id": "b"},
                {"text": "", "id": "b", "tag": "a"},
                {"tag": "a"},
                {"role": "x"},
            ]
        ),
        "is_bot": is_bot,
        "event_timestamp_source": "client",
        "received_at": received,
        "loaded_at": received + timedelta(minutes=random.choice([1, 14, 29, 59, 119, 359, 4000])),
        "source_object": "events/o",
        "source_position": 0,
    }


def some_events() -> Rows:
    """Visits of some people: short and long ones, over midnight, close together, with steps left out."""
    random = Random(4)  # noqa: S311
    events = []
    people = [{"client_id": f"client-{number}"} for number in range(14)]
    people += [{"user_id": "user"}, {"client_id": "client-0", "user_id": "user"}, {}]
    for identity in people:
        for _ in range(random.randrange(4, 14)):
            at = START + timedelta(
                seconds=random.randrange(DAYS * 86400), microseconds=random.randrange(10**6)
            )
            path = PATH[: random.randrange(1, 6)] if random.random() < 0.4 else []
            names = path + [random.choice(NAMES) for _ in range(random.choice([0, 1, 2, 9]))]
            for name in names or ["page_view"]:
                events.append(some_event(random, at, name, random.random() < 0.05, **identity))
                at += timedelta(seconds=random.choice([0, 4, 40, 400, 1500, 1799, 1801, 2400]))
    # Sessions at both sides of every edge of the distributions: a visitor each.
    for number, (bound, less) in enumerate(product([0, 10, 30, 60, 180, 600, 1800, 3600], [0, 1])):
        end = START + timedelta(hours=9, seconds=bound, microseconds=-less if bound else less)
        times = [
            START + timedelta(hours=9),
            *([START + timedelta(hours=h) for h in (9.4, 9.8) if bound > 1800]),
            end,
        ]
        events += [some_event(random, at, "page_view", client_id=f"length-{number}") for at in times]
    for pages in [*range(23), 50, 51]:
        names = ["click", *["page_view"] * pages]
        events += [
            some_event(random, START + timedelta(days=4, seconds=second), name, client_id=f"depth-{pages}")
            for second, name in enumerate(names)
        ]
    random.shuffle(events)
    kinds = {"context_product_id": 2, "context_product_category": 4, "context_product_brand": 8}
    for event in [one for one in events if not one["is_bot"]][::9]:
        folded = random.choice([2, 4, 8, 14]) & sum(kind for name, kind in kinds.items() if event[name])
        event["folded"] = folded | (event["event_name"] == "click") or None
    return [{"folded": None, **event} for event in events]


RUNS = """
INSERT INTO etl_runs (started_at, finished_at, status, chunks, objects_read, objects_failed, objects_left,
    events_loaded, events_duplicate, events_rejected, events_refused, events_refused_kept)
SELECT at, CASE number %% 7 WHEN 3 THEN NULL ELSE at + number * interval '1 second' END,
    (ARRAY['complete', 'incomplete', 'failed', 'running'])[1 + number %% 4],
    number, number * 3, number %% 5, number %% 11, number * 100, number * 2, number %% 4,
    number * 7, number * 3
FROM (SELECT number, %s + number * interval '5 hours' AS at FROM generate_series(0, 46) AS number) AS run;
INSERT INTO rejected_events
SELECT 'events/' || number, number %% 2, (ARRAY['no_event_name', 'not_json', 'bad_time'])[1 + number %% 3],
    'reason ' || number %% 5, '{}', %s + number * interval '3 hours'
FROM generate_series(0, 60) AS number;
INSERT INTO etl_object_failures
SELECT 'events/' || number, number, 'error ' || number, %s, %s + number %% 60 * interval '1 hour',
    CASE WHEN number %% 3 = 0 THEN 'version' END
FROM generate_series(1, 120) AS number;
"""


@pytest.fixture(scope="module")
def server() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as postgres:
        postgres.create_database()
        postgres.execute(
            "SELECT make_partitions(ARRAY[%s, %s]::timestamptz[])", (START, START + timedelta(days=7))
        )
        events = some_events()
        columns = ", ".join(events[0])
        connection = postgres.connect()
        with connection, connection.cursor() as cursor:
            psycopg2.extras.execute_values(
                cursor,
                f"INSERT INTO clickstream_events ({columns}) VALUES %s",  # noqa: S608
                [[psycopg2.extras.Json(v) if isinstance(v, dict) else v for v in e.values()] for e in events],
            )
        connection.close()
        postgres.execute(RUNS, (START,) * 4)
        postgres.execute(
            "INSERT INTO catalogue (id, brand, price) VALUES ('p5', 'Own', 70), ('p9', 'Own', 1)"
        )
        yield postgres


@pytest.fixture(scope="module", params=ZONES)
def plain(request: pytest.FixtureRequest, server: ThrowawayPostgres) -> Plain:
    server.execute("SELECT set_time_zone(%s)", (request.param,))
    return Plain(server, ZoneInfo(request.param))


PLAIN: dict[Callable[[Plain, Asked], Rows], list[str]] = {
    plainly.totals: [""],
    plainly.totals_over_time: ["hour", "day"],
    plainly.events_by_time: ["hour", "day"],
    plainly.events_by_name: [""],
    plainly.events_by_login_state: [""],
    plainly.events_by_weekday: [""],
    plainly.funnel_sessions: ["", "login_state", "category", "brand"],
    plainly.funnel_visitors: ["", "login_state", "category", "brand"],
    plainly.products: ["product", "category", "brand"],
    plainly.product_trend: ["p1", "p4", "no such"],
    plainly.order_totals: ["", "login_state", "category", "brand"],
    plainly.orders_over_time: ["hour", "day"],
    plainly.data_findings: [""],
    plainly.session_lengths: [""],
    plainly.session_depths: [""],
    plainly.sessions_by_time: ["hour", "day"],
    plainly.recent_sessions: [""],
    plainly.loads_by_day: [""],
    plainly.load_lag: [""],
    plainly.runs_by_day: [""],
    plainly.rejected_by_reason: [""],
    plainly.folded_labels: [""],
}
"""What counts plainly what the query of this name counts, and the values of its seventh parameter."""
OTHERS = {
    "freshness",
    "session_timeline",
    "etl_runs",
    "objects_waiting",
    "object_failures",
    "filter_choices",
    "last_hour",
    "data_version",
}
"""Queries whose answer is not about the period; they have tests of their own."""


# --- Comparing ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def reader(server: ThrowawayPostgres) -> Iterator[Any]:
    connection = server.connect(READER)
    connection.autocommit = True
    yield connection
    connection.close()


def ask(reader: Any, query: str, *parameters: object) -> Rows:
    """Run a query as the dashboard does: the types of its parameters are what the text says."""
    with reader.cursor() as cursor:
        cursor.execute(f"PREPARE question AS {QUERIES[query]}")
        places = f"({', '.join(['%s'] * len(parameters))})" if parameters else ""
        try:
            cursor.execute(f"EXECUTE question {places}", [str(parameter) for parameter in parameters])
            names = [column.name for column in cursor.description]
            return [dict(zip(names, row, strict=True)) for row in cursor]
        finally:
            cursor.execute("DEALLOCATE question")


def anything(plain: Plain) -> tuple[Any, ...]:
    """What filters may say where they do not matter."""
    return Asked(date(2020, 1, 1), date(2020, 1, 1), plain.zone, "guest", "laptop", "LG")[:6]


def same(found: Rows, expected: Rows) -> bool:
    """Whether all columns of all rows are equal, in order; fractions but for rounding."""
    return len(found) == len(expected) and all(
        one.keys() == other.keys() and all(close(one[name], other[name]) for name in one)
        for one, other in zip(found, expected, strict=True)
    )


def close(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return abs(one - other) <= 1e-6 + 1e-9 * abs(other)
    return bool(one == other)


@pytest.mark.parametrize("count", PLAIN, ids=lambda count: count.__name__)
def test_a_query_of_a_period_counts_what_a_plain_count_does(
    plain: Plain, reader: Any, count: Callable[[Plain, Asked], Rows]
) -> None:
    somewhere = False
    for period, filters, own in product(PERIODS, FILTERS, PLAIN[count]):
        asked = Asked(*period, plain.zone, *filters, own)
        expected = count(plain, asked)
        parameters = [*asked] if own or len(PLAIN[count]) > 1 else [*asked][:6]
        found = ask(reader, count.__name__, *parameters)
        assert same(found, expected), f"{asked}\nfound    {found}\nexpected {expected}"
        somewhere = somewhere or any(
            isinstance(value, int) and value > 1 for row in found for value in row.values()
        )
    assert somewhere, "the data has nothing to count"


def test_every_query_is_held_to_a_plain_count() -> None:
    assert QUERIES.keys() == {count.__name__ for count in PLAIN} | OTHERS


@pytest.mark.parametrize("query", QUERIES)
def test_a_query_documents_its_parameters_and_columns(reader: Any, query: str) -> None:
    text = QUERIES[query]
    head = re.match(r"(--.*\n)+", text)
    assert head is not None
    numbers = {int(number) for number in re.findall(r"\$(\d)", text)}
    assert numbers == set(range(1, len(numbers) + 1)), "RPostgreSQL binds all up to the last"
    line = re.search(r"-- Parameters: (.*)", head[0])
    assert line is not None
    documented = {int(number) for number in re.findall(r"\$(\d)", head[0])}
    assert numbers == documented | (set(range(1, 7)) if "the filters' six" in line[1] else set())
    values = ["2025-11-01", "2025-11-02", "UTC", "", "", "", "day"]
    values = {1: ["UTC"], 8: [*values[:6], "1", "2025-11-01"]}.get(len(numbers), values[: len(numbers)])
    with reader.cursor() as cursor:
        cursor.execute(f"PREPARE described AS {text}")
        places = f"({', '.join(['%s'] * len(values))})" if values else ""
        cursor.execute(f"EXECUTE described {places}", values)
        columns = [column.name for column in cursor.description]
        cursor.execute("DEALLOCATE described")
    described = head[0].partition("-- Columns:")[2]
    assert [name for name in columns if not re.search(rf"\b{name}\b", described)] == []


def test_today_ends_with_the_hour_that_has_begun(plain: Plain, reader: Any) -> None:
    today = datetime.now(plain.zone).date()
    for query, unit in product(["events_by_time", "totals_over_time", "sessions_by_time"], ["hour", "day"]):
        asked = Asked(today - timedelta(days=1), today + timedelta(days=1), plain.zone, "", "", "", unit)
        assert [row["bucket"] for row in ask(reader, query, *asked)] in (
            asked.buckets(),
            asked.buckets()[:-1],
        )
    for query in ("loads_by_day", "runs_by_day"):
        asked = Asked(today, today + timedelta(days=1), plain.zone, "", "", "")
        assert len(ask(reader, query, *asked[:6])) == 1


def test_every_session_has_its_time_line(plain: Plain, reader: Any) -> None:
    for session in plain.all_sessions:
        visitor, start = session.key
        expected = plainly.session_timeline(plain, session)
        key = (visitor, f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
        found = ask(reader, "session_timeline", *anything(plain), *key)
        assert same(found, expected), f"found    {found}\nexpected {expected}"


def test_the_newest_runs_and_what_waits(plain: Plain, reader: Any) -> None:
    assert same(ask(reader, "etl_runs", *anything(plain)), plainly.etl_runs(plain))
    assert ask(reader, "object_failures", *anything(plain)) == plainly.object_failures(plain)
    runs = sorted(plain.table("etl_runs"), key=lambda run: -run["run_id"])
    finished = next(run for run in runs if run["finished_at"])
    aside = [row["etag"] is not None for row in plain.table("etl_object_failures")]
    waiting = {
        "objects_left": finished["objects_left"],
        "objects_failed": aside.count(False),
        "objects_set_aside": aside.count(True),
    }
    assert ask(reader, "objects_waiting", *anything(plain)) == [waiting]
    version = {name: runs[0][name] for name in ("run_id", "chunks", "status")}
    # runs are numbered anew after a rebuild of the warehouse
    version["started_at"] = datetime.fromisoformat(runs[0]["started_at"])
    assert ask(reader, "data_version") == [version]


def test_freshness_is_of_the_last_event_and_load(plain: Plain, reader: Any) -> None:
    loaded = [
        datetime.fromisoformat(run["finished_at"])
        for run in plain.table("etl_runs")
        if run["finished_at"] and run["status"] in ("complete", "incomplete")
    ]
    last = {"event": max(event.at for event in plain.all), "load": max(loaded)}
    [found] = ask(reader, "freshness", plain.zone)
    for name, at in last.items():
        assert found.pop(f"last_{name}") == local(at, plain.zone)
        minutes = (datetime.now(UTC) - at) / timedelta(minutes=1)
        assert found.pop(f"minutes_since_{name}") == pytest.approx(minutes, abs=1)
    assert found == {}


def test_filters_offer_what_was_seen(plain: Plain, reader: Any) -> None:
    sources = [*(event for event in plain.people if event.visitor is not None), *plain.products.values()]
    expected = [
        {"kind": kind, "value": value}
        for kind in ("category", "brand")
        for value in sorted({getattr(event, kind) for event in sources} - {""})
    ]
    assert ask(reader, "filter_choices") == expected


def test_the_last_hour_counts_by_now(plain: Plain, reader: Any) -> None:
    assert ask(reader, "last_hour") == [{"events": 0}]


def test_an_empty_warehouse_gives_no_error() -> None:
    with throwaway_postgres() as postgres:
        postgres.create_database()
        connection = postgres.connect(READER)
        nothing: Rows = [
            {"last_event": None, "last_load": None, "minutes_since_event": None, "minutes_since_load": None}
        ]
        assert ask(connection, "freshness", "UTC") == nothing
        assert ask(connection, "objects_waiting", *PERIODS[0], "UTC", "", "", "") == [
            {"objects_left": None, "objects_failed": 0, "objects_set_aside": 0}
        ]
        for count, values in PLAIN.items():
            asked = Asked(*PERIODS[0], ZoneInfo("UTC"), "", "", "", values[-1])
            found = ask(connection, count.__name__, *(asked if values[-1] else asked[:6]))
            assert not any(
                isinstance(v, int) and v
                for row in found
                for n, v in row.items()
                if n in ("sessions", "events")
            )
        connection.close()
