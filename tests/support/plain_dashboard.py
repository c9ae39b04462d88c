"""The dashboard's numbers by a plain count: in Python, from the stored rows, by the definitions alone.

A function here has the name of a query in files/dashboard/queries and gives the rows that it must give.
None of them runs such a query, or reads a table that the warehouse's triggers keep.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import product
from statistics import mean, median
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from tests.support.plain_model import (
    LAGS,
    STEPS,
    VIEWS,
    Catalogue,
    Event,
    Item,
    Known,
    Order,
    Session,
    Warehouse,
    buyers_of,
    changed_products,
    known_products,
    orders_of,
    sessions_of,
    stored_catalogue,
    stored_events,
)

Rows = list[dict[str, Any]]
CURRENCY = "VND"
"""The platform's default."""


class Asked(NamedTuple):
    """A query's parameters: the filters' six, and `own`, the seventh."""

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
    """All stored rows, and what several counts need of them."""

    server: Warehouse
    zone: ZoneInfo
    people: list[Event] = field(init=False)

    def __post_init__(self) -> None:
        self.all = stored_events(self.server)
        self.people = [event for event in self.all if not event.is_bot]
        self.orders = orders_of(buyers_of(self.all))
        self.all_sessions = sorted(sessions_of(self.all), key=lambda session: session.key[1])

    @cached_property
    def rows(self) -> dict[str, dict[str, Any]]:
        """Every column of every event, by id."""
        found = self.server.execute("SELECT row_to_json(clickstream_events) FROM clickstream_events")
        return {row["event_id"]: row for (row,) in found}

    @cached_property
    def repeated(self) -> set[str]:
        """The page views that are no page of their own."""
        return {event.event_id for session in self.all_sessions for event in session.repeated()}

    @cached_property
    def catalogue(self) -> Catalogue:
        return stored_catalogue(self.server)

    @cached_property
    def products(self) -> dict[str, Known]:
        """What is known of each product."""
        return known_products(self.people, self.catalogue)

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
    """The KPIs of some sessions and of events of the same time."""
    carted = sum(any(step == 2 for step, _ in one.steps(asked.category, asked.brand)) for one in sessions)
    bought = sum(bool(one.named("checkout_complete")) for one in sessions)
    bounces = sum(one.bounced() for one in sessions)
    pages = sum(one.pages() for one in sessions)
    if not asked.category and not asked.brand:
        pages = sum(event.name in VIEWS and event.event_id not in plain.repeated for event in events)
    return {
        "visitors": len({one.key[0] for one in sessions}),
        "sessions": len(sessions),
        "page_views": pages,
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
    """Each value of the attribute that is split by, and the parameters for it alone."""
    if asked.own == "":
        yield "", asked
    elif asked.own == "login_state":
        for state in ("verified", "logged_in", "guest", "anonymous", ""):
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
    revenue: Counter[str] = Counter()
    for event in plain.events(asked._replace(category="", brand="")):
        if event.product_id and event.name in ("product_view", "add_to_cart_click"):
            counted[event.product_id][event.name] += 1
    for order in plain.orders:
        if asked.holds(order.at) and asked.login_state in ("", order.session.login_state):
            for item in order.items:
                if item.product_id:
                    counted[item.product_id]["purchase"] += 1
                    revenue[item.product_id] += (item.amount or 0) if order.currency in ("", CURRENCY) else 0

    def facts(product_id: str) -> Known:
        unknown = Known(product_id, "", "", "", None, None, None)
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
                "name": (members[0].name or key) if by_product else key,
                "category": members[0].category if by_product else "",
                "brand": members[0].brand if by_product else "",
                "products": len(members),
                "views": views,
                "carts": carts,
                "purchases": purchases,
                "revenue": float(sum(revenue[one.product_id] for one in members)),
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
                "currency": CURRENCY,
            }
        )
    rows.sort(key=lambda row: (-row["views"], -row["carts"], -row["purchases"], row["key"]))
    return rows[:1000]


def product_trend(plain: Plain, asked: Asked) -> Rows:
    counted: Counter[tuple[str, str]] = Counter()
    for event in plain.events(asked._replace(category="", brand="")):
        if event.product_id == asked.own:
            counted[event.name, asked.bucket(event.at)] += 1
    for order in plain.orders:
        if asked.login_state in ("", order.session.login_state):
            for item in order.items:
                if item.product_id == asked.own:
                    counted["purchase", asked.bucket(order.at)] += 1
    return [
        {
            "bucket": bucket,
            "views": counted["product_view", bucket],
            "carts": counted["add_to_cart_click", bucket],
            "purchases": counted["purchase", bucket],
        }
        for bucket in asked.buckets()
    ]


def sold(plain: Plain, asked: Asked, value: Callable[[Order, Item | None], str]) -> dict[str, dict[str, Any]]:
    """Orders, units, revenue and average value, by what `value` says of an order, or of each of its items."""
    by_item = bool(asked.category or asked.brand or asked.own in ("category", "brand"))
    units: Counter[str] = Counter()
    amounts: dict[str, dict[int, list[Any]]] = defaultdict(lambda: defaultdict(list))
    for number, order in enumerate(plain.orders):
        if not asked.holds(order.at) or asked.login_state not in ("", order.session.login_state):
            continue
        summed = order.currency in ("", CURRENCY)
        if not by_item:
            key = value(order, None)
            units[key] += sum(item.quantity for item in order.items)
            amounts[key][number].append(order.total if summed else None)
        for item in order.items if by_item else ():
            key = value(order, item)
            if asked.category in ("", item.category) and asked.brand in ("", item.brand):
                if asked.own in ("category", "brand") and not key:
                    continue
                units[key] += item.quantity
                amounts[key][number].append(item.amount if summed else None)
    found = {}
    for key, orders in amounts.items():
        values = [sum(known) for own in orders.values() if (known := [one for one in own if one is not None])]
        found[key] = {
            "orders": len(orders),
            "units": units[key],
            "revenue": float(sum(values)),
            "average_order_value": float(sum(values)) / len(values) if values else None,
        }
    return found


NOTHING_SOLD = {"orders": 0, "units": 0, "revenue": 0.0, "average_order_value": None}


def order_totals(plain: Plain, asked: Asked) -> Rows:
    def value(order: Order, item: Item | None) -> str:
        return (
            order.session.login_state
            if asked.own == "login_state"
            else str(getattr(item, asked.own or "x", ""))
        )

    found = sold(plain, asked, value) or ({} if asked.own else {"": NOTHING_SOLD})
    rows = [{"value": key, **numbers, "currency": CURRENCY} for key, numbers in found.items()]
    return sorted(rows, key=lambda row: (-row["orders"], row["value"]))


def orders_over_time(plain: Plain, asked: Asked) -> Rows:
    found = sold(plain, asked, lambda order, _: asked.bucket(order.at))
    money = {"currency": CURRENCY}
    return [{"bucket": bucket, **found.get(bucket, NOTHING_SOLD), **money} for bucket in asked.buckets()]


def data_findings(plain: Plain, asked: Asked) -> Rows:
    currencies = sorted(
        o.currency for o in plain.orders if asked.holds(o.at) and o.currency not in ("", CURRENCY)
    )
    suspect = sorted(
        one.product_id
        for one in plain.products.values()
        if one.price and one.discount_price and one.discount_price < one.price / 20
    )
    labels = {
        "Orders in another currency": currencies,
        "Products with a discount above 95 %": suspect,
        "Products that an unverified event changed": sorted(changed_products(plain.people, plain.catalogue)),
    }
    return [
        {"position": position, "label": label, "found": len(found), "example": found[0]}
        for position, (label, found) in enumerate(labels.items(), 1)
        if found
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
    return distribution([one.pages() for one in plain.sessions(asked)], "0", labels)


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
                "page_views": session.pages(),
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
            "refused_kept": sum(run["events_refused_kept"] for run in own),
            "refused_not_kept": sum(run["events_refused"] - run["events_refused_kept"] for run in own),
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


def folded_labels(plain: Plain, asked: Asked) -> Rows:
    names = ["Event names", "Products", "Categories", "Brands", "Items of orders"]
    rows = []
    for position, label in enumerate(names, 1):
        folded = [
            event
            for event in plain.people
            if event.folded & 1 << (position - 1) and asked.holds(event.received_at)
        ]
        senders = len({event.visitor for event in folded} - {None})
        if folded:
            rows.append({"position": position, "label": label, "events": len(folded), "senders": senders})
    return rows


def session_timeline(plain: Plain, session: Session) -> Rows:
    """A session's events, in the order of time."""
    names = ["event_name", "page_url", "referrer", "user_id"]
    columns = {
        "product_id": "context_product_id",
        "product_name": "context_product_name",
        "category": "context_product_category",
        "brand": "context_product_brand",
        "price": "context_product_price",
    }
    rows = []
    for event in sorted(session.events, key=lambda one: (one.at, one.event_id)):
        row = plain.rows[event.event_id]
        element = row["element"] or {}
        rows.append(
            {
                "at": local(event.at, plain.zone),
                "seconds": (event.at - session.key[1]).total_seconds(),
                "element": element.get("text") or element.get("id") or element.get("tag"),
                **{name: row[name] for name in names},
                **{name: row[column] for name, column in columns.items()},
                "login_state": event.login_state or None,
            }
        )
    return rows


def etl_runs(plain: Plain) -> Rows:
    """The newest twenty runs, the newest first."""
    copied = {name: name for name in ("run_id", "status", "objects_read", "objects_failed", "objects_left")}
    copied |= {"loaded": "events_loaded", "duplicates": "events_duplicate", "rejected": "events_rejected"}
    rows = []
    for run in sorted(plain.table("etl_runs"), key=lambda run: -run["run_id"])[:20]:
        started, finished = (
            run[name] and datetime.fromisoformat(run[name]) for name in ("started_at", "finished_at")
        )
        rows.append(
            {name: run[column] for name, column in copied.items()}
            | {
                "started": local(started, plain.zone),
                "finished": local(finished, plain.zone),
                "seconds": (finished - started).total_seconds() if finished else None,
            }
        )
    return rows


def object_failures(plain: Plain) -> Rows:
    """The hundred objects whose last failure is newest."""
    failures = sorted(plain.table("etl_object_failures"), key=lambda row: row["object_key"])
    failures.sort(key=lambda row: row["last_failed_at"], reverse=True)
    return [
        {name: row[name] for name in ("object_key", "attempts", "error")}
        | {name: local(row[f"{name}_at"], plain.zone) for name in ("first_failed", "last_failed")}
        for row in failures[:100]
    ]
