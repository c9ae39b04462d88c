"""Every number of the dashboard is what a plain count over the rows gives.

Each query in files/dashboard/queries has a function here that answers the same question from the events
themselves, by the definitions, in Python. All columns are compared, for periods, time zones and filters in
combination.
"""

from __future__ import annotations

import re
import uuid
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import product
from random import Random
from statistics import mean, median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import psycopg2.extras
import pytest

from tests.support.dashboard_queries import dashboard_queries
from tests.support.plain_model import LAGS, STEPS, Event, Session, sessions_of, stored_events
from tests.support.postgres import READER, ThrowawayPostgres, find_binaries, throwaway_postgres

pytestmark = pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")

QUERIES = dashboard_queries()
Rows = list[dict[str, Any]]

ZONES = ["Asia/Ho_Chi_Minh", "America/St_Johns"]
START = datetime(2025, 10, 30, tzinfo=UTC)
"""Clocks in St. John's go back on 2 November, and days there begin at half past three, UTC."""
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
    *("page_view", "page_view", "product_view", "product_view", "add_to_cart_click"),
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
    return {
        "event_id": str(uuid.UUID(int=random.getrandbits(128))),
        "event_timestamp": at,
        "event_name": name,
        "user_login_state": random.choice(
            ["anonymous", "anonymous", "anonymous", "guest", "logged_in", None]
        ),
        "client_id": identity.get("client_id"),
        "user_id": identity.get("user_id"),
        "context_product_id": product_id,
        "context_product_name": random.choice([f"Product {product_id}", "", None]) if product_id else None,
        "context_product_category": random.choice(categories),
        "context_product_brand": random.choice(brands),
        "context_product_price": price,
        "context_product_discount_price": random.choice([None, 80, 90]) if price else None,
        "page_url": random.choice([f"https://shop.example/{name}", None]),
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
    return events


RUNS = """
INSERT INTO etl_runs (started_at, finished_at, status, chunks, objects_read, objects_failed, objects_left,
    events_loaded, events_duplicate, events_rejected)
SELECT at, CASE number %% 7 WHEN 3 THEN NULL ELSE at + number * interval '1 second' END,
    (ARRAY['complete', 'incomplete', 'failed', 'running'])[1 + number %% 4],
    number, number * 3, number %% 5, number %% 11, number * 100, number * 2, number %% 4
FROM (SELECT number, %s + number * interval '5 hours' AS at FROM generate_series(0, 46) AS number) AS run;
INSERT INTO rejected_events
SELECT 'events/' || number, number %% 2, (ARRAY['no_event_name', 'not_json', 'bad_time'])[1 + number %% 3],
    'reason ' || number %% 5, '{}', %s + number * interval '3 hours'
FROM generate_series(0, 60) AS number;
INSERT INTO etl_object_failures
SELECT 'events/' || number, number, 'error ' || number, %s, %s + number %% 60 * interval '1 hour'
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
        yield postgres


@pytest.fixture(scope="module", params=ZONES)
def plain(request: pytest.FixtureRequest, server: ThrowawayPostgres) -> Plain:
    server.execute("SELECT set_time_zone(%s)", (request.param,))
    return Plain(server, ZoneInfo(request.param))


# --- Plain counts -------------------------------------------------------------------------------------


class Asked(NamedTuple):
    """The period's six parameters, and the one after them."""

    first_day: date
    last_day: date
    zone: ZoneInfo
    login_state: str
    category: str
    brand: str
    own: str = ""

    def admits(self, login_state: str, category: str, brand: str) -> bool:
        return (
            self.login_state in ("", login_state)
            and self.category in ("", category)
            and self.brand in ("", brand)
        )

    def day(self, at: datetime) -> date:
        return at.astimezone(self.zone).date()

    def holds(self, at: datetime) -> bool:
        return self.first_day <= self.day(at) <= self.last_day

    def bucket(self, at: datetime) -> str:
        local = at.astimezone(self.zone)
        return f"{local:%Y-%m-%d %H:00}" if self.own == "hour" else f"{local:%Y-%m-%d 00:00}"

    def buckets(self) -> list[str]:
        days = [self.first_day + timedelta(days=n) for n in range((self.last_day - self.first_day).days + 1)]
        hours = range(24) if self.own == "hour" else [0]
        now = f"{datetime.now(self.zone):%Y-%m-%d %H:%M}"
        return [text for day, hour in product(days, hours) if (text := f"{day} {hour:02}:00") <= now]


@dataclass
class Plain:
    """All that is stored, to be counted."""

    server: ThrowawayPostgres
    zone: ZoneInfo
    people: list[Event] = field(init=False)

    def __post_init__(self) -> None:
        self.all = stored_events(self.server)
        self.people = [event for event in self.all if not event.is_bot]
        self.all_sessions = sorted(sessions_of(self.all), key=lambda session: session.key[1])

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Every column of every event, by id."""
        found = self.server.execute("SELECT row_to_json(clickstream_events) FROM clickstream_events")
        return {row["event_id"]: row for (row,) in found}

    @cached_property
    def products(self) -> dict[str, Event]:
        """Product -> the newest event that says its name."""
        named = [event for event in self.people if event.product_id and event.product_name is not None]
        return {event.product_id: event for event in sorted(named, key=lambda one: (one.at, one.event_id))}

    def table(self, name: str) -> Rows:
        return [row for (row,) in self.server.execute(f"SELECT row_to_json({name}) FROM {name}")]  # noqa: S608

    def events(self, asked: Asked) -> list[Event]:
        return [
            event
            for event in self.people
            if asked.holds(event.at) and asked.admits(event.login_state, event.category, event.brand)
        ]

    def sessions(self, asked: Asked) -> list[Session]:
        """The sessions that a filter chooses, in the order of time."""
        return [
            session
            for session in self.all_sessions
            if asked.holds(session.key[1])
            and asked.login_state in ("", session.login_state)
            and (asked.category, asked.brand) in session.groups
        ]

    def is_new(self, session: Session, asked: Asked) -> bool:
        visitor, start = session.key
        return not any(
            other.key[0] == visitor and other.key[1] < start and (asked.category, asked.brand) in other.groups
            for other in self.all_sessions
        )


def local(at: datetime | str | None, zone: ZoneInfo) -> str | None:
    if isinstance(at, str):
        at = datetime.fromisoformat(at)
    return at and f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}"


def seconds(session: Session) -> float:
    return (session.events[-1].at - session.events[0].at).total_seconds()


def share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> dict[Any, list[Any]]:
    groups = defaultdict(list)
    for item in items:
        groups[key(item)].append(item)
    return groups


def numbers(plain: Plain, asked: Asked, sessions: list[Session], events: list[Event]) -> dict[str, Any]:
    """What is said of some sessions, and events of the same time."""
    carted = sum(any(step == 2 for step, _ in one.steps(asked.category, asked.brand)) for one in sessions)
    bought = sum(bool(one.named("checkout_complete")) for one in sessions)
    bounces = sum(len(one.named("page_view")) <= 1 for one in sessions)
    if asked.category or asked.brand:
        events = [event for session in sessions for event in session.events]
    return {
        "visitors": len({one.key[0] for one in sessions}),
        "sessions": len(sessions),
        "page_views": sum(event.name == "page_view" for event in events),
        "conversion_rate": share(bought, len(sessions)),
        "cart_rate": share(carted, len(sessions)),
        "bounce_rate": share(bounces, len(sessions)),
        "mean_seconds": mean(map(seconds, sessions)) if sessions else None,
        "purchase_sessions": bought,
        "cart_sessions": carted,
        "bounces": bounces,
    }


def totals(plain: Plain, asked: Asked) -> Rows:
    return [numbers(plain, asked, plain.sessions(asked), plain.events(asked))]


def totals_over_time(plain: Plain, asked: Asked) -> Rows:
    sessions = grouped(plain.sessions(asked), lambda session: asked.bucket(session.key[1]))
    events = grouped(plain.events(asked), lambda event: asked.bucket(event.at))
    left_out = ("purchase_sessions", "cart_sessions", "bounces")
    rows = []
    for bucket in asked.buckets():
        row = numbers(plain, asked, sessions.get(bucket, []), events.get(bucket, []))
        rows.append({"bucket": bucket} | {name: row[name] for name in row if name not in left_out})
    return rows


def events_by_time(plain: Plain, asked: Asked) -> Rows:
    counted = Counter(asked.bucket(event.at) for event in plain.events(asked))
    return [{"bucket": bucket, "events": counted[bucket]} for bucket in asked.buckets()]


def events_by_name(plain: Plain, asked: Asked) -> Rows:
    counted = Counter(event.name for event in plain.events(asked))
    return [{"event_name": n, "events": c} for n, c in sorted(counted.items(), key=lambda i: (-i[1], i[0]))]


def events_by_login_state(plain: Plain, asked: Asked) -> Rows:
    counted = Counter(event.login_state for event in plain.events(asked))
    return [{"login_state": s, "events": c} for s, c in sorted(counted.items(), key=lambda i: (-i[1], i[0]))]


def events_by_weekday(plain: Plain, asked: Asked) -> Rows:
    times = [event.at.astimezone(asked.zone) for event in plain.events(asked)]
    counted = Counter((at.isoweekday(), at.hour) for at in times)
    return [
        {"weekday": weekday, "hour": hour, "events": counted[weekday, hour]}
        for weekday, hour in product(range(1, 8), range(24))
    ]


def funnel(reached: dict[str, list[list[datetime | None]]]) -> Rows:
    """Rows of value -> when each of some sessions or visitors reached each step."""
    rows = []
    counts = {v: [sum(t[s] is not None for t in times) for s in range(4)] for v, times in reached.items()}
    for value, times in sorted(reached.items(), key=lambda item: (-counts[item[0]][0], item[0])):
        count = counts[value]
        for step, name in enumerate(STEPS):
            after = [(t[step] - t[step - 1]).total_seconds() for t in times if step and t[step] is not None]
            if count[0]:
                rows.append(
                    {
                        "value": value,
                        "step": step + 1,
                        "event_name": name,
                        "reached": count[step],
                        "share": count[step] / count[0],
                        "drop_off": 1 - count[step] / count[step - 1] if step and count[step - 1] else None,
                        "median_seconds": median(after) if after else None,
                    }
                )
    return rows


def split(plain: Plain, asked: Asked) -> Iterator[tuple[str, Asked]]:
    """Each value of what is split by, and the question about it alone."""
    if asked.own == "":
        yield "", asked
    elif asked.own == "login_state":
        for state in ("logged_in", "guest", "anonymous", ""):
            if asked.login_state in ("", state):
                yield state, asked._replace(login_state=state or "none")
    else:
        values = {getattr(event, asked.own) for event in plain.people} - {""}
        for value in values:
            if getattr(asked, asked.own) in ("", value):
                yield value, asked._replace(**{asked.own: value})


def funnel_sessions(plain: Plain, asked: Asked) -> Rows:
    return funnel(
        {
            value: [one.funnel(part.category, part.brand) for one in sessions_in(plain, part)]
            for value, part in split(plain, asked)
        }
    )


def sessions_in(plain: Plain, asked: Asked) -> list[Session]:
    """The same with "none" for sessions without a login state."""
    if asked.login_state != "none":
        return plain.sessions(asked)
    return [one for one in plain.sessions(asked._replace(login_state="")) if one.login_state == ""]


def funnel_visitors(plain: Plain, asked: Asked) -> Rows:
    reached = {}
    for value, part in split(plain, asked):
        own = sessions_in(plain, part._replace(category="", brand=""))
        by_visitor = grouped(own, lambda session: session.key[0])
        # A visitor's sessions, one after the other, are one long one.
        reached[value] = [
            Session([event for session in sessions for event in session.events]).funnel(
                part.category, part.brand
            )
            for sessions in by_visitor.values()
        ]
    return funnel(reached)


def products(plain: Plain, asked: Asked) -> Rows:
    counted: dict[str, Counter[str]] = defaultdict(Counter)
    for event in plain.events(asked._replace(category="", brand="")):
        if event.product_id and event.name in ("product_view", "add_to_cart_click"):
            counted[event.product_id][event.name] += 1
    for session in plain.all_sessions:
        for at, product_id in session.bought():
            if asked.holds(at) and asked.login_state in ("", session.login_state):
                counted[product_id]["purchase"] += 1

    def facts(product_id: str) -> Event:
        unknown = Event(
            "", START, "", "", None, False, START, START, product_id, "", "", "", None, None, None
        )
        return plain.products.get(product_id, unknown)

    chosen = [facts(p) for p in counted]
    chosen = [p for p in chosen if asked.category in ("", p.category) and asked.brand in ("", p.brand)]
    by_product = asked.own == "product"
    attribute = "product_id" if by_product else asked.own
    rows = []
    for key, members in grouped(chosen, lambda one: getattr(one, attribute)).items():
        views, carts, purchases = (
            sum(counted[one.product_id][name] for one in members)
            for name in ("product_view", "add_to_cart_click", "purchase")
        )

        def average(values: Iterable[Any]) -> float | None:
            known = [float(value) for value in values if value is not None]
            return mean(known) if known else None

        rows.append(
            {
                "key": key,
                "name": (members[0].product_name or key) if by_product else key,
                "category": members[0].category if by_product else "",
                "brand": members[0].brand if by_product else "",
                "products": len(members),
                "views": views,
                "carts": carts,
                "purchases": purchases,
                "view_to_cart": share(carts, views),
                "cart_to_buy": share(purchases, carts),
                "price": average(one.price for one in members),
                "discount_price": average(one.discount_price for one in members),
                "discount": average(
                    1 - one.discount_price / one.price
                    if one.price and one.discount_price is not None
                    else None
                    for one in members
                ),
            }
        )
    return sorted(rows, key=lambda row: (-row["views"], -row["carts"], -row["purchases"], row["key"]))


def product_trend(plain: Plain, asked: Asked) -> Rows:
    counted: Counter[tuple[str, str]] = Counter()
    for event in plain.events(asked._replace(category="", brand="")):
        if event.product_id == asked.own:
            counted[event.name, asked.bucket(event.at)] += 1
    for session in plain.all_sessions:
        for at, product_id in session.bought():
            if product_id == asked.own and asked.login_state in ("", session.login_state):
                counted["purchase", asked.bucket(at)] += 1
    return [
        {
            "bucket": bucket,
            "views": counted["product_view", bucket],
            "carts": counted["add_to_cart_click", bucket],
            "purchases": counted["purchase", bucket],
        }
        for bucket in asked.buckets()
    ]


def distribution(values: list[float], first: str, bounds: dict[float, str]) -> Rows:
    places = Counter(sum(value >= bound for bound in bounds) for value in values)
    labels = enumerate([first, *bounds.values()])
    return [{"position": place, "label": label, "sessions": places[place]} for place, label in labels]


def session_lengths(plain: Plain, asked: Asked) -> Rows:
    labels = {1e-6: "under 10 s", 10: "10 to 30 s", 30: "30 to 60 s", 60: "1 to 3 min", 180: "3 to 10 min"}
    labels |= {600: "10 to 30 min", 1800: "30 to 60 min", 3600: "1 h and longer"}
    return distribution([seconds(session) for session in plain.sessions(asked)], "one moment", labels)


def session_depths(plain: Plain, asked: Asked) -> Rows:
    labels: dict[float, str] = {1: "1", 2: "2", 3: "3", 4: "4 to 5", 6: "6 to 10", 11: "11 to 20"}
    labels |= {21: "21 to 50", 51: "51 and more"}
    return distribution([len(one.named("page_view")) for one in plain.sessions(asked)], "0", labels)


def sessions_by_time(plain: Plain, asked: Asked) -> Rows:
    counted = Counter((asked.bucket(one.key[1]), plain.is_new(one, asked)) for one in plain.sessions(asked))
    return [
        {"bucket": b, "new_sessions": counted[b, True], "returning_sessions": counted[b, False]}
        for b in asked.buckets()
    ]


def recent_sessions(plain: Plain, asked: Asked) -> Rows:
    rows = []
    for session in sorted(plain.sessions(asked), key=lambda one: (-one.key[1].timestamp(), one.key[0]))[:100]:
        visitor, start = session.key
        first = min(
            (event for event in session.events if event.at == start), key=lambda event: event.event_id
        )
        rows.append(
            {
                "visitor": str(visitor),
                "started_at": f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}",
                "started": local(start, asked.zone),
                "seconds": seconds(session),
                "events": len(session.events),
                "page_views": len(session.named("page_view")),
                "login_state": session.login_state,
                "is_new": plain.is_new(session, asked),
                "carted": any(step == 2 for step, _ in session.steps(asked.category, asked.brand)),
                "purchased": bool(session.named("checkout_complete")),
                "first_page": plain.rows[first.event_id]["page_url"],
                "client_id": plain.rows[first.event_id]["client_id"],
            }
        )
    return rows


def loads(plain: Plain, asked: Asked) -> list[Event]:
    return [event for event in plain.all if asked.holds(event.at)]


def loads_by_day(plain: Plain, asked: Asked) -> Rows:
    counted = Counter((asked.bucket(event.at), event.is_bot) for event in loads(plain, asked))
    return [{"bucket": b, "events": counted[b, False], "bots": counted[b, True]} for b in asked.buckets()]


def load_lag(plain: Plain, asked: Asked) -> Rows:
    labels = [
        "under 15 min",
        "15 to 30 min",
        "30 to 60 min",
        "1 to 2 h",
        "2 to 6 h",
        "6 to 24 h",
        "1 day and longer",
    ]
    counted = Counter(
        (sum(event.loaded_at - event.at >= lag for lag in LAGS), event.is_bot)
        for event in loads(plain, asked)
    )
    return [
        {"position": place, "label": label, "events": counted[place, False], "bots": counted[place, True]}
        for place, label in enumerate(labels)
    ]


def of_period(plain: Plain, asked: Asked, table: str, column: str) -> Rows:
    return [row for row in plain.table(table) if asked.holds(datetime.fromisoformat(row[column]))]


def runs_by_day(plain: Plain, asked: Asked) -> Rows:
    runs = of_period(plain, asked, "etl_runs", "started_at")
    days = grouped(runs, lambda run: asked.bucket(datetime.fromisoformat(run["started_at"])))
    return [
        {
            "bucket": bucket,
            "runs": len(own := days.get(bucket, [])),
            "failed_runs": sum(run["status"] == "failed" for run in own),
            "loaded": sum(run["events_loaded"] for run in own),
            "duplicates": sum(run["events_duplicate"] for run in own),
            "rejected": sum(run["events_rejected"] for run in own),
        }
        for bucket in asked.buckets()
    ]


def rejected_by_reason(plain: Plain, asked: Asked) -> Rows:
    codes = grouped(of_period(plain, asked, "rejected_events", "rejected_at"), lambda row: row["code"])
    rows = []
    for code, own in codes.items():
        newest = max(own, key=lambda row: row["rejected_at"])
        last = local(newest["rejected_at"], asked.zone)
        rows.append({"code": code, "reason": newest["reason"], "events": len(own), "last_rejected": last})
    return sorted(rows, key=lambda row: (-row["events"], row["code"]))


PLAIN: dict[Callable[[Plain, Asked], Rows], list[str]] = {
    totals: [""],
    totals_over_time: ["hour", "day"],
    events_by_time: ["hour", "day"],
    events_by_name: [""],
    events_by_login_state: [""],
    events_by_weekday: [""],
    funnel_sessions: ["", "login_state", "category", "brand"],
    funnel_visitors: ["", "login_state", "category", "brand"],
    products: ["product", "category", "brand"],
    product_trend: ["p1", "p4", "no such"],
    session_lengths: [""],
    session_depths: [""],
    sessions_by_time: ["hour", "day"],
    recent_sessions: [""],
    loads_by_day: [""],
    load_lag: [""],
    runs_by_day: [""],
    rejected_by_reason: [""],
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
    names = ["event_name", "page_url", "referrer", "user_id"]
    products = {
        "product_id": "context_product_id",
        "product_name": "context_product_name",
        "category": "context_product_category",
        "brand": "context_product_brand",
        "price": "context_product_price",
        "login_state": "user_login_state",
    }
    for session in plain.all_sessions:
        visitor, start = session.key
        expected = []
        for event in sorted(session.events, key=lambda one: (one.at, one.event_id)):
            row = plain.rows[event.event_id]
            element = row["element"] or {}
            expected.append(
                {
                    "at": local(event.at, plain.zone),
                    "seconds": (event.at - start).total_seconds(),
                    "element": element.get("text") or element.get("id") or element.get("tag"),
                    **{name: row[name] for name in names},
                    **{name: row[column] for name, column in products.items()},
                }
            )
        key = (visitor, f"{start.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%fZ}")
        found = ask(reader, "session_timeline", *anything(plain), *key)
        assert same(found, expected), f"found    {found}\nexpected {expected}"


def test_the_newest_runs_and_what_waits(plain: Plain, reader: Any) -> None:
    runs = sorted(plain.table("etl_runs"), key=lambda run: -run["run_id"])
    copied = {name: name for name in ("run_id", "status", "objects_read", "objects_failed", "objects_left")}
    copied |= {"loaded": "events_loaded", "duplicates": "events_duplicate", "rejected": "events_rejected"}

    def took(run: dict[str, Any]) -> float | None:
        ends = [
            run["finished_at"] and datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at")
        ]
        return (ends[1] - ends[0]).total_seconds() if ends[1] else None

    assert same(
        ask(reader, "etl_runs", *anything(plain)),
        [
            {name: run[column] for name, column in copied.items()}
            | {
                "started": local(run["started_at"], plain.zone),
                "finished": local(run["finished_at"], plain.zone),
            }
            | {"seconds": took(run)}
            for run in runs[:20]
        ],
    )
    failures = sorted(plain.table("etl_object_failures"), key=lambda row: row["object_key"])
    failures.sort(key=lambda row: row["last_failed_at"], reverse=True)
    assert ask(reader, "object_failures", *anything(plain)) == [
        {name: row[name] for name in ("object_key", "attempts", "error")}
        | {name: local(row[f"{name}_at"], plain.zone) for name in ("first_failed", "last_failed")}
        for row in failures[:100]
    ]
    finished = next(run for run in runs if run["finished_at"])
    waiting = {"objects_left": finished["objects_left"], "objects_failed": len(failures)}
    assert ask(reader, "objects_waiting", *anything(plain)) == [waiting]
    version = {name: runs[0][name] for name in ("run_id", "chunks", "status")}
    assert [{name: row[name] for name in version} for row in ask(reader, "data_version")] == [version]


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
            {"objects_left": None, "objects_failed": 0}
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
