"""The warehouse's model by a plain count: in Python, from all rows at once, by the definitions alone.

`check_model` compares it with the tables that the triggers keep (files/warehouse/tables).
"""

from __future__ import annotations

import itertools
from bisect import bisect
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from zoneinfo import ZoneInfo

LOGIN_STATES = ("verified", "logged_in", "guest", "anonymous", "")
"""The strongest first."""
GAP = timedelta(minutes=30)
LONGEST = timedelta(hours=24)
STEPS = {"product_view": 1, "add_to_cart_click": 2, "checkout_start": 3, "checkout_complete": 4}
LAGS = [timedelta(minutes=minutes) for minutes in (15, 30, 60, 120, 360, 1440)]
LENGTHS = [
    timedelta(microseconds=1),
    *[timedelta(seconds=seconds) for seconds in (10, 30, 60, 180, 600, 1800, 3600)],
]
DEPTHS = [1, 2, 3, 4, 6, 11, 21, 51]
VIEWS = ("page_view", "home_view", "category_view", "product_view")
KINDS = {"name": 1, "product_id": 2, "category": 4, "brand": 8}
OTHER = "(other)"
COLUMNS = (
    "event_id, event_timestamp, event_name, "
    "CASE WHEN identity_verified AND user_login_state = 'logged_in' THEN 'verified' "
    "ELSE user_login_state END, "
    "visitor, is_bot, loaded_at, received_at, "
    "context_product_id, context_product_name, context_product_category, context_product_brand, "
    "context_product_price, context_product_discount_price, left(context_product_url_path, 200), "
    "coalesce(folded, 0), coalesce(page_url, ''), "
    "coalesce(left(order_id, 200), ''), order_details, context_product_quantity, identity_verified"
)


class Warehouse(Protocol):
    """What runs SQL in the warehouse."""

    def execute(self, sql: str, parameters: Any = None) -> list[Any]:
        """Return the rows of a statement."""


class Event(NamedTuple):
    """The columns of an event row that the model is made of."""

    event_id: str
    at: datetime
    name: str
    login_state: str
    visitor: int | None
    is_bot: bool
    loaded_at: datetime
    received_at: datetime
    product_id: str
    product_name: str | None
    category: str
    brand: str
    price: Any
    discount_price: Any
    url_path: str | None
    folded: int
    """Which labels count as "(other)": a sum of `KINDS`."""
    page_url: str
    order_id: str
    order: dict[str, Any] | None
    quantity: int | None
    verified: bool


Catalogue = dict[str, dict[str, Any]]
"""What the shop says of its products: the fields that are not NULL, by id."""


class Known(NamedTuple):
    """What is known of a product."""

    product_id: str
    name: str
    category: str
    brand: str
    price: Any
    discount_price: Any
    url_path: str | None


class Session(NamedTuple):
    """The events of one session, in the order of time."""

    events: list[Event]

    @property
    def key(self) -> tuple[Any, ...]:
        return self.events[0].visitor, self.events[0].at

    @property
    def login_state(self) -> str:
        states = {event.login_state for event in self.events}
        return next(state for state in LOGIN_STATES if state in states or state == "")

    @property
    def groups(self) -> set[tuple[str, str]]:
        """Category and brand of the rows that it has in the table `sessions`."""
        found = {("", "")}
        for event in self.events:
            found |= {(event.category, ""), ("", event.brand), (event.category, event.brand)}
        return found

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]

    def repeated(self) -> list[Event]:
        """The page_view events that are no page of their own: a specific view says it too."""
        specific = [event for event in self.events if event.name in VIEWS[1:]]
        return [
            event
            for event in self.named("page_view")
            if any(
                one.page_url == event.page_url and abs(one.at - event.at) <= timedelta(seconds=10)
                for one in specific
            )
        ]

    def pages(self) -> int:
        """How many pages were seen."""
        return sum(event.name in VIEWS for event in self.events) - len(self.repeated())

    def bounced(self) -> bool:
        return (
            self.pages() == 1 and not self.named("add_to_cart_click") and not self.named("checkout_complete")
        )

    def steps(self, category: str, brand: str) -> list[tuple[int, datetime]]:
        """The funnel's events of a category and brand; checkouts belong to all categories and brands."""
        found = [
            (STEPS[event.name], event.at)
            for event in self.events
            if event.name in STEPS
            and (STEPS[event.name] > 2 or (category in ("", event.category) and brand in ("", event.brand)))
        ]
        return sorted(found, key=lambda step: (step[1], step[0]))

    def funnel(self, category: str, brand: str) -> list[datetime | None]:
        """When each step was first reached after the one before."""
        reached: list[datetime | None] = [None] * 4
        for wanted in range(4):
            for position, (step, at) in enumerate(steps := self.steps(category, brand)):
                before = reached[wanted - 1] if wanted else None
                if step == wanted + 1 and (
                    wanted == 0 or (before is not None and (at, step) > (before, wanted))
                ):
                    reached[wanted] = steps[position][1]
                    break
        return reached


class Item(NamedTuple):
    """A product of an order."""

    product_id: str
    category: str
    brand: str
    quantity: int
    amount: Decimal | None


class Order(NamedTuple):
    """An order, with the session that it was made in."""

    session: Session
    at: datetime
    order_id: str
    total: Decimal | None
    currency: str
    items: list[Item]


def paid(price: Any, discount: Any) -> Decimal | None:
    """What one costs."""
    price, discount = (None if value is None else Decimal(value) for value in (price, discount))
    return discount if discount and (price is None or discount < price) else price


def orders_of(sessions: list[Session]) -> list[Order]:
    """The orders of all visitors."""
    completions = [
        (event, one) for one in sessions for event in one.events if event.name == "checkout_complete"
    ]
    by_order: dict[Any, list[tuple[Event, Session]]] = defaultdict(list)
    for event, one in sorted(completions, key=lambda pair: (pair[0].at, pair[0].event_id)):
        by_order[event.order_id or (event.visitor, event.at)].append((event, one))
    found = []
    times: dict[Any, set[datetime]] = defaultdict(set)
    for key, copies in by_order.items():
        own = copies[:1] if isinstance(key, str) else copies
        times[own[0][0].visitor].add(own[0][0].at)
        found.append(own)
    orders = []
    for own in found:
        events, session = [event for event, _ in own], own[0][1]
        at, visitor = events[0].at, events[0].visitor
        before = max((time for time in times[visitor] if time < at), default=None)
        lines: list[tuple[str, str, str, int, Decimal | None]] = []
        named: set[str] = set()
        for event in events:
            details = (event.order or {}).get("items") or []
            for item in details:
                other = int(item.get("folded") or 0)
                labels = (
                    OTHER if other & kind and item.get(name) else item.get(name) or ""
                    for name, kind in (("id", 2), ("category", 4), ("brand", 8))
                )
                price = paid(item.get("price"), item.get("discount_price"))
                lines.append((*labels, int(item.get("quantity") or 0) or 1, price))  # type: ignore[arg-type]
            if not details and event.product_id and event.product_id not in named:
                named.add(event.product_id)
                lines.append(line_of(event))
        if any(not (event.order or {}).get("items") and not event.product_id for event in events):
            lines += cart_of(
                [event for one in sessions if one.key[0] == visitor for event in one.events], before, at
            )
        totals = [event.order["total"] for event in events if event.order and event.order.get("total")]
        currencies = [
            event.order["currency"] for event in events if event.order and event.order.get("currency")
        ]
        items = []
        for _, same in itertools.groupby(
            sorted(lines, key=lambda line: (line[0], line[0] == "" and line[1:3])),
            key=lambda line: (line[0], line[0] == "" and line[1:3]),
        ):
            rows = list(same)
            amounts = [line[3] * line[4] for line in rows if line[4] is not None]
            items.append(
                Item(
                    *rows[0][:3], sum(line[3] for line in rows), sum(amounts, Decimal(0)) if amounts else None
                )
            )
        amounts = [item.amount for item in items if item.amount is not None]
        summed = sum(amounts, Decimal(0)) if amounts else None
        total = Decimal(totals[0]) if totals else summed
        orders.append(
            Order(session, at, events[0].order_id, total, currencies[0] if currencies else "", items)
        )
    return orders


def line_of(event: Event) -> tuple[str, str, str, int, Decimal | None]:
    """What an event says of a product that is bought."""
    price = paid(event.price, event.discount_price)
    return event.product_id, event.category, event.brand, event.quantity or 1, price


def cart_of(
    events: list[Event], before: datetime | None, at: datetime
) -> list[tuple[str, str, str, int, Decimal | None]]:
    """The products that are in the cart: put there after `before`, and not taken out since."""
    lines = []
    span = [
        event
        for event in events
        if (before is None or event.at > before) and at - timedelta(days=30) <= event.at <= at
    ]
    for product_id in {event.product_id for event in span} - {""}:
        own = [event for event in span if event.product_id == product_id]
        removed = [event.at for event in own if event.name == "remove_from_cart_click"]
        added = [
            event
            for event in own
            if event.name == "add_to_cart_click" and (not removed or event.at > max(removed))
        ]
        # The last one says of what category and brand it is.
        added.sort(key=lambda event: (-event.at.timestamp(), event.event_id))
        lines += [line_of(event) for event in added]
    return lines


def sessions_of(events: Iterable[Event]) -> list[Session]:
    """Cut each visitor's events where more than 30 minutes pass without one, and after 24 hours."""
    by_visitor: dict[int, list[Event]] = defaultdict(list)
    for event in without_copies(list(events)):
        if event.visitor is not None and not event.is_bot:
            by_visitor[event.visitor].append(event)
    sessions = []
    for own in by_visitor.values():
        own.sort(key=lambda event: event.at)
        current = [own[0]]
        for event in own[1:]:
            if event.at - current[-1].at > GAP or event.at - current[0].at > LONGEST:
                sessions.append(Session(current))
                current = []
            current.append(event)
        sessions.append(Session(current))
    return sorted(sessions, key=lambda session: session.key)


def buyers_of(events: list[Event]) -> list[Session]:
    """The sessions, and what stands for one where an order is without a person."""
    lone = [
        Session([event])
        for event in without_copies(events)
        if event.visitor is None and not event.is_bot and event.name == "checkout_complete"
    ]
    return sessions_of(events) + lone


def without_copies(events: list[Event]) -> list[Event]:
    """An order's copies, but the first, complete nothing: they are events of another name."""
    seen = set()
    found = []
    for event in sorted(events, key=lambda one: (one.at, one.event_id)):
        if event.name == "checkout_complete" and event.order_id and not event.is_bot:
            if event.order_id in seen:
                event = event._replace(name="copy of an order")
            else:
                seen.add(event.order_id)
        found.append(event)
    return found


def plain_model(
    events: list[Event], zone: ZoneInfo, catalogue: Catalogue
) -> dict[str, Counter[tuple[Any, ...]]]:
    """Return the rows of every table of the model."""
    model: dict[str, Counter[tuple[Any, ...]]] = {table: Counter() for table in TABLES}
    people = [event for event in events if not event.is_bot]

    def day(at: datetime) -> date:
        return at.astimezone(zone).date()

    def hour(at: datetime) -> datetime:
        """The hour of the zone's clock."""
        return at.astimezone(zone).replace(minute=0, second=0, microsecond=0, tzinfo=None)

    def cells(counted: Counter[Any], table: str) -> None:
        model[table] = Counter((*cell, number) for cell, number in counted.items() if number)

    hours = Counter(
        (
            hour(event.at),
            event.login_state,
            event.category,
            event.brand,
        )
        for event in people
    )
    cells(hours, "hourly_events")
    cells(
        Counter((day(e.at), e.name, e.login_state, e.category, e.brand) for e in people),
        "daily_events",
    )
    lags = Counter((day(e.at), e.is_bot, sum(e.loaded_at - e.at >= limit for limit in LAGS)) for e in events)
    cells(lags, "daily_loads")

    model["products"] = Counter(known_products(people, catalogue).values())

    products: dict[tuple[Any, ...], list[int]] = defaultdict(lambda: [0, 0, 0])
    for event in people:
        if event.product_id and event.name in ("product_view", "add_to_cart_click"):
            products[day(event.at), event.product_id, event.login_state][STEPS[event.name] - 1] += 1

    pages = Counter((hour(e.at), e.login_state) for e in people if e.name in VIEWS)
    sums: dict[tuple[Any, ...], list[Any]] = defaultdict(lambda: [0] * 32)
    previous: dict[tuple[Any, ...], datetime] = {}
    viewed: dict[tuple[Any, ...], datetime] = {}
    for session in sessions_of(events):
        visitor, start = session.key
        state = session.login_state
        repeated = session.repeated()
        pages.subtract((hour(event.at), event.login_state) for event in repeated)
        for event in repeated:
            model["repeated_views"][visitor, start, event.at, event.login_state] += 1
        for event in session.events:
            if (step := STEPS.get(event.name, 0)) > 1:
                key = (visitor, start, event.at, step, state, event.category, event.brand)
                model["funnel_events"][key] += 1
        end = session.events[-1].at
        views = session.pages()
        purchased = bool(session.named("checkout_complete"))
        for category, brand in session.groups:
            funnel = session.funnel(category, brand)
            carted = any(step == 2 for step, _ in session.steps(category, brand))
            before = previous.get((visitor, category, brand))
            before_in_state = previous.get((visitor, category, brand, state))
            previous[visitor, category, brand] = previous[visitor, category, brand, state] = start
            viewed_before = viewed.get((visitor, category, brand))
            viewed_before_in_state = viewed.get((visitor, category, brand, state))
            if funnel[0] is not None:
                viewed[visitor, category, brand] = viewed[visitor, category, brand, state] = start
            row = (visitor, category, brand, start, end, state, len(session.events), views, carted, purchased)
            links = (before, before_in_state, viewed_before, viewed_before_in_state)
            model["sessions"][*row, *funnel, *links, session.bounced()] += 1
            values = [
                1,
                before is None or day(before) < day(start),
                before_in_state is None or day(before_in_state) < day(start),
                before is None,
                session.bounced(),
                (end - start) / timedelta(microseconds=1),
                len(session.events),
                views,
                carted,
                purchased,
                *(time is not None for time in funnel),
                *one_of_nine(bisect(LENGTHS, end - start)),
                *one_of_nine(bisect(DEPTHS, views)),
            ]
            cell = sums[day(start), state, category, brand]
            sums[day(start), state, category, brand] = [
                int(one) + int(other) for one, other in zip(cell, values, strict=True)
            ]
    cells(pages, "hourly_pages")
    model["funnel_paths"] = Counter(path_rows(sessions_of(events)))
    model["daily_sessions"] = Counter(
        (*cell, *values[:14], values_text(values[14:23]), values_text(values[23:]))
        for cell, values in sums.items()
    )
    for order in orders_of(buyers_of(events)):
        visitor, start = order.session.key
        state = order.session.login_state
        units = sum(item.quantity for item in order.items)
        key = (visitor, start, order.at, state, order.order_id)
        model["orders"][*key, order.total, order.currency, units] += 1
        for item in order.items:
            model["order_items"][*key, order.currency, *item] += 1
            if item.product_id:
                products[day(order.at), item.product_id, state][2] += 1
    model["daily_products"] = Counter((*cell, *values) for cell, values in products.items())
    return model


def known_products(people: Iterable[Event], catalogue: Catalogue) -> dict[str, Known]:
    """What is known of each product: what the catalogue says, else the newest known value of each field."""
    known: dict[str, dict[str, Any]] = defaultdict(dict)
    for event in sorted(people, key=lambda one: (one.verified, one.at, one.event_id)):
        if event.product_id and not event.folded & KINDS["product_id"]:
            known[event.product_id] |= said_of_product(event)
    products = {}
    for product_id in known | catalogue:
        own = catalogue.get(product_id, {})
        facts = known[product_id] | own
        if not facts and product_id not in catalogue:
            continue
        price, discount = facts.get("price"), facts.get("discount_price")
        if "price" in own:
            discount = own.get("discount_price")
        if not discount or (price is not None and discount >= price):
            discount = None
        texts = (facts.get(name, "") for name in ("name", "category", "brand"))
        products[product_id] = Known(product_id, *texts, price, discount, facts.get("url_path"))
    return products


def said_of_product(event: Event) -> dict[str, Any]:
    """The fields of a product that an event knows."""
    texts = {name: getattr(event, name) for name in ("category", "brand", "url_path")}
    said = {name: value for name, value in {**texts, "name": event.product_name}.items() if value}
    if event.price is not None:
        said["price"] = event.price
    if event.price is not None or event.discount_price is not None:
        said["discount_price"] = event.discount_price
    return said


def changed_products(people: Iterable[Event], catalogue: Catalogue) -> set[str]:
    """Products of which an unverified event says last what verified ones, else the first, say otherwise."""
    by_field: dict[tuple[str, str], list[tuple[bool, Any]]] = defaultdict(list)
    for event in sorted(people, key=lambda one: (one.at, one.event_id)):
        if event.product_id and not event.folded & KINDS["product_id"]:
            said = said_of_product(event)
            discount = said.get("discount_price")
            if not discount or (event.price is not None and discount >= event.price):
                said |= {"discount_price": None} if "discount_price" in said else {}
            for name, value in said.items():
                own = "price" if name == "discount_price" else name
                if name != "url_path" and own not in catalogue.get(event.product_id, {}):
                    by_field[event.product_id, name].append((event.verified, value))
    changed = set()
    for (product_id, _), said_by in by_field.items():
        verified = [value for is_verified, value in said_by if is_verified]
        trusted = verified[-1] if verified else said_by[0][1]
        if not said_by[-1][0] and said_by[-1][1] != trusted:
            changed.add(product_id)
    return changed


def one_of_nine(place: int) -> list[int]:
    """Return a count of one at this place."""
    return [int(place == other) for other in range(9)]


def values_text(values: list[int]) -> str:
    """Return an array as PostgreSQL writes it."""
    return f"{{{','.join(map(str, values))}}}"


def path_rows(sessions: list[Session]) -> Iterator[tuple[Any, ...]]:
    """Yield a row of funnel_paths for the first cart of each view, of any and of each login state."""
    by_visitor: dict[int, list[Session]] = defaultdict(list)
    for session in sessions:
        by_visitor[session.key[0]].append(session)
    for visitor, own in by_visitor.items():
        for in_state in (False, True):
            among = [
                [one for one in own if one.login_state == state or not in_state]
                for state in (LOGIN_STATES if in_state else LOGIN_STATES[:1])
            ]
            for some, group in itertools.product(among, {group for one in own for group in one.groups}):
                for path in _paths(some, *group):
                    yield visitor, in_state, *path


def _paths(sessions: list[Session], category: str, brand: str) -> Iterator[tuple[Any, ...]]:
    views = [
        (one.key[1], view)
        for one in sessions
        if (category, brand) in one.groups and (view := one.funnel(category, brand)[0])
    ]

    def following(name: str, at: datetime) -> tuple[datetime, datetime] | tuple[None, None]:
        """When the session began of the next event of this name, and when it was."""
        found = [(event.at, one.key[1]) for one in sessions for event in one.named(name) if event.at >= at]
        return min(found)[::-1] if found else (None, None)

    entered_before: datetime | None = None
    carts = sorted(
        (at, one.key[1], one.login_state)
        for one in sessions
        if (category, brand) in one.groups
        for step, at in one.steps(category, brand)
        if step == 2
    )
    for at, started, state in carts:
        led = [place for place, (_, view) in enumerate(views) if view <= at]
        if not led or views[led[-1]][0] == entered_before:
            continue
        entered = views[led[-1]][0]
        first_view = min(view for view in views if entered_before is None or view[0] > entered_before)
        checkout = following("checkout_start", at)
        purchase = following("checkout_complete", checkout[1]) if checkout[1] else (None, None)
        yield (
            state, category, brand, started, entered, entered_before, *first_view, at,
            *checkout, *purchase,
        )  # fmt: skip
        entered_before = entered


TABLES = {
    "hourly_events": "SELECT hour, login_state, category, brand, events FROM hourly_events",
    "daily_events": "SELECT day, event_name, login_state, category, brand, events FROM daily_events",
    "daily_products": "SELECT day, product_id, login_state, views, carts, purchases FROM daily_products",
    "daily_loads": "SELECT day, is_bot, lag_bucket, events FROM daily_loads",
    "products": "SELECT product_id, name, category, brand, price, discount_price, url_path FROM products",
    "sessions": (
        "SELECT visitor, category, brand, started_at, ended_at, login_state, events, page_views, "
        "carted, purchased, view_at, cart_at, checkout_at, purchase_at, previous_at, previous_in_state_at, "
        "viewed_before_at, viewed_before_in_state_at, bounced FROM sessions"
    ),
    "repeated_views": "SELECT visitor, started_at, at, login_state FROM repeated_views",
    "hourly_pages": "SELECT hour, login_state, pages FROM hourly_pages WHERE pages <> 0",
    "funnel_events": (
        "SELECT visitor, started_at, at, step, login_state, category, brand FROM funnel_events"
    ),
    "funnel_paths": (
        "SELECT visitor, in_state, login_state, category, brand, started_at, entered_at, entered_before_at, "
        "view_started_at, view_at, cart_at, checkout_started_at, checkout_at, purchase_started_at, "
        "purchase_at FROM funnel_paths"
    ),
    "orders": ("SELECT visitor, started_at, at, login_state, order_id, total, currency, units FROM orders"),
    "order_items": (
        "SELECT visitor, started_at, at, login_state, order_id, currency, product_id, category, brand, "
        "quantity, amount FROM order_items"
    ),
    "daily_sessions": (
        "SELECT day, login_state, category, brand, sessions, visitors, visitors_in_state, new_visitors, "
        "bounces, (seconds * 1000000)::bigint, events, page_views, cart_sessions, purchase_sessions, "
        "funnel_views, funnel_carts, funnel_checkouts, funnel_purchases, "
        "lengths::text, depths::text FROM daily_sessions"
    ),
}


def stored_events(server: Warehouse) -> list[Event]:
    """Return all rows of the events; texts that are not there are empty, as the model has them."""
    found: list[tuple[Any, ...]] = server.execute(f"SELECT {COLUMNS} FROM clickstream_events")  # noqa: S608
    labels = [Event._fields.index(name) for name in ("login_state", "product_id", "category", "brand")]
    events = [
        Event._make((value or "")[:200] if place in labels else value for place, value in enumerate(row))
        for row in found
    ]
    [(zone, most)] = as_owner(server, "SELECT time_zone, max_events_a_visitor_day FROM model_settings")

    def day(event: Event) -> tuple[int | None, date]:
        return event.visitor, event.at.astimezone(ZoneInfo(zone)).date()

    # A visitor with too many events on a day is a bot on that day.
    numbers = Counter(day(event) for event in events if event.visitor is not None and not event.is_bot)
    return [
        event._replace(
            is_bot=event.is_bot or numbers[day(event)] > int(most),
            **{name: OTHER for name, kind in KINDS.items() if event.folded & kind},
        )
        for event in events
    ]


def as_owner(server: Warehouse, sql: str) -> list[Any]:
    """Return rows of a table that the loader, as whom the tests of pages connect, may not read."""
    run: Callable[[str], list[Any]] = getattr(server, "execute_as_owner", server.execute)
    return run(sql)


def stored_catalogue(server: Warehouse) -> Catalogue:
    """Return the table `catalogue`."""
    types = {"name": str, "category": str, "brand": str, "price": Decimal, "discount_price": Decimal}
    rows = as_owner(server, f"SELECT id, {', '.join(types)} FROM catalogue")  # noqa: S608
    return {
        key: {name: types[name](known) for name, known in zip(types, row, strict=True) if known is not None}
        for key, *row in rows
    }


def check_model(server: Warehouse) -> None:
    """Assert that every table of the model is what a plain count over the rows gives."""
    [(zone,)] = server.execute("SELECT time_zone FROM model_settings")
    expected = plain_model(stored_events(server), ZoneInfo(zone), stored_catalogue(server))
    for table, query in TABLES.items():
        found = Counter(server.execute(query))
        missing, surplus = expected[table] - found, found - expected[table]
        assert not missing and not surplus, f"{table} lacks {dict(missing)}, has {dict(surplus)}"
