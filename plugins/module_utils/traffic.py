"""Realistic shop traffic, deterministic by seed: what the collector is sent when the pipeline is verified.

Pure functions. An event is a dict in the browser's form (camelCase, as the tracker sends it).
"""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

Event = dict[str, Any]


class Product(NamedTuple):
    """A product of the shop; prices in VND."""

    id: str
    name: str
    category: str
    brand: str
    price: int
    discount_price: int | None

    def context(self, no_discount: int | None = None) -> dict[str, Any]:
        """The event's ``product``; many trackers send 0 where there is no discount."""
        return {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "brand": self.brand,
            "price": self.price,
            "discountPrice": self.discount_price or no_discount,
            "urlPath": f"/products/{self.id}",
        }

    def paid(self) -> int:
        """The price after discount."""
        return self.discount_price or self.price


class Step(NamedTuple):
    """What a visitor's browser sends at one moment."""

    name: str
    path: str
    product: dict[str, Any] | None = None
    order: dict[str, Any] | None = None
    at_once: bool = False
    """Whether it follows the step before within a second, as what a page sends while it opens."""


CATALOGUE = (
    Product("lap-001", "ThinkPad X1 Carbon Gen 13", "laptop", "Lenovo", 45_990_000, 42_490_000),
    Product("lap-002", "MacBook Air 13 M4", "laptop", "Apple", 26_990_000, None),
    Product("lap-003", "Zenbook 14 OLED", "laptop", "ASUS", 24_490_000, 22_990_000),
    Product("lap-004", "Inspiron 14 Plus", "laptop", "Dell", 27_990_000, None),
    Product("mon-001", "UltraSharp U2725QE", "monitor", "Dell", 15_990_000, 14_490_000),
    Product("mon-002", "ProArt PA279CRV", "monitor", "ASUS", 11_490_000, None),
    Product("mon-003", "UltraGear 27GS85Q", "monitor", "LG", 9_990_000, 8_790_000),
    Product("acc-001", "Chuột MX Master 3S", "accessory", "Logitech", 2_490_000, 2_190_000),
    Product("acc-002", "Bàn phím K8 Pro", "accessory", "Keychron", 2_890_000, None),
    Product("acc-003", "Tai nghe WH-1000XM6", "accessory", "Sony", 9_490_000, 8_990_000),
)

CHANCE_OF_CART, CHANCE_OF_CHECKOUT, CHANCE_OF_PURCHASE = 0.45, 0.5, 0.7
"""Of a product view, a cart and a started checkout, how likely the next step of the funnel is."""


def visits(
    run_id: str, visitors: int, now: datetime, currency: str = "VND", seed: int = 1
) -> list[list[Event]]:
    """One list of events for each visitor, in the order in which they happen.

    run_id: marks every event: client ids begin with ``verify-<run_id>-``, so that a run's events can be found
        and removed again.
    now: aware; all events lie in the half hour before it, but the carts that some filled the day before.
    currency: that of the orders.
    Raises ValueError for a naive ``now``.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    chance = random.Random(f"{seed}:{run_id}")  # noqa: S311 - traffic, not a secret
    prefix = client_prefix(run_id)
    return [list(_visitor(chance, prefix, number, now, currency)) for number in range(visitors)]


def client_prefix(run_id: str) -> str:
    """What the client ids of a run's events begin with."""
    return f"verify-{run_id}-"


def user_agent(run_id: str) -> str:
    """The User-Agent of a run's requests: it marks those, too, that hold no event."""
    return f"clickstream-verify/{run_id}"


def _visitor(
    chance: random.Random, prefix: str, number: int, now: datetime, currency: str
) -> Iterator[Event]:
    logged_in = chance.random() < 0.4
    moment = now.astimezone(UTC) - timedelta(seconds=chance.uniform(900, 1800))
    visitor = {
        "clientId": f"{prefix}{number:03d}",
        "userId": f"user-{number:03d}" if logged_in else None,
        "userLoginState": "logged_in" if logged_in else "anonymous",
        "identitySource": "cognito" if logged_in else None,
        "isFirstVisit": chance.random() < 0.6,
    }
    cart: list[Product] = []
    yesterday = list(_put_aside(chance, cart)) if number % 10 == 1 else []
    today = _shop(chance, number, cart, {"id": f"{prefix}{number:03d}-o1", "currency": currency})
    for session, began, steps in (("s0", moment - timedelta(hours=23), yesterday), ("s1", moment, today)):
        at = began
        for step in steps:
            at += timedelta(seconds=chance.uniform(0.01, 1) if step.at_once else chance.uniform(2, 40))
            yield {
                "eventName": step.name,
                "eventId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
                "eventTimestamp": _time_text(at),
                "pageUrl": f"https://shop.example{step.path}",
                "sessionId": f"{prefix}{number:03d}-{session}",
                **{key: value for key, value in visitor.items() if value is not None},
                **({"product": step.product} if step.product else {}),
                **({"order": step.order} if step.order else {}),
            }


def _time_text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _put_aside(chance: random.Random, cart: list[Product]) -> Iterator[Step]:
    """A session that only fills the cart."""
    for product in chance.sample(CATALOGUE, 2):
        cart.append(product)
        yield Step("product_view", f"/products/{product.id}", product.context())
        yield Step("add_to_cart", f"/products/{product.id}", product.context())  # an alias; see ALIASES


def _shop(chance: random.Random, number: int, cart: list[Product], order: dict[str, Any]) -> Iterator[Step]:
    """A session; some go on to the cart and the checkout. Of ten visitors the first two always buy.

    Every other visitor's tracker is one that sends specific views in place of page views, 0 for no discount,
    and of what is put into the cart no more than id and name.
    """
    other = number % 2 == 1
    comes_to_buy = number % 10 < 2

    def page(view: str, path: str, product: dict[str, Any] | None = None) -> list[Step]:
        if other:
            return [Step(view, path, product)]
        return [Step("page_view", path, product), Step(view, path, product, at_once=True)]

    yield from page("home_view", "/")
    for place in range(chance.randint(2 if comes_to_buy else 1, 5)):
        product, beside = chance.sample(CATALOGUE, 2)
        yield Step("category_view" if other or place % 2 else "page_view", f"/{product.category}")
        opened = page("product_view", f"/products/{product.id}", product.context(0 if other else None))
        if place == 0 and number % 3 == 0:  # two tabs: their events come by turns
            tab = page("product_view", f"/products/{beside.id}", beside.context(0 if other else None))
            opened = [step for pair in zip(opened, tab, strict=True) for step in pair]
            opened[1:] = [step._replace(at_once=True) for step in opened[1:]]
        yield from opened
        if chance.random() < CHANCE_OF_CART or comes_to_buy:
            cart.append(product)
            said = {"id": product.id, "name": product.name} if other else product.context()
            yield Step("add_to_cart", f"/products/{product.id}", said)
    if cart and (chance.random() < CHANCE_OF_CHECKOUT or comes_to_buy):
        yield Step("checkout_start", "/checkout", cart[-1].context())
        if chance.random() < CHANCE_OF_PURCHASE or comes_to_buy:
            yield from _purchase(number, cart, order)


def _purchase(number: int, cart: list[Product], order: dict[str, Any]) -> Iterator[Step]:
    """What success pages send: the order with its items, its total alone, or no order but a product."""
    order = {**order, "total": sum(product.paid() for product in cart)}
    if number % 10 == 1:  # what was bought is known from the carts of yesterday and today
        yield Step("purchase", "/checkout/done", order=order)
    elif number % 2:
        yield Step("purchase", "/checkout/done", cart[-1].context())
    else:
        order["items"] = [
            {**product.context(0), "quantity": cart.count(product)} for product in dict.fromkeys(cart)
        ]
        yield Step("purchase", "/checkout/done", order=order)
        if number % 10 == 0:  # the success page is loaded again
            yield Step("purchase", "/checkout/done", order=order)


ALIASES = {"add_to_cart": "add_to_cart_click", "purchase": "checkout_complete"}
"""The names under which the warehouse stores these: written out again, so that the check is independent."""


def expected_row(event: Event) -> dict[str, Any]:
    """The warehouse row that an event must become: its columns by name; the time as ISO, in UTC."""
    product = event.get("product", {})
    order = event.get("order", {})
    return {
        "event_id": event["eventId"],
        "event_timestamp": event["eventTimestamp"],
        "event_name": ALIASES.get(event["eventName"], event["eventName"]),
        "user_id": event.get("userId"),
        "user_login_state": event.get("userLoginState"),
        "identity_source": event.get("identitySource"),
        "client_id": event["clientId"],
        "session_id": event["sessionId"],
        "is_first_visit": event.get("isFirstVisit"),
        "context_product_id": product.get("id"),
        "context_product_name": product.get("name"),
        "context_product_category": product.get("category"),
        "context_product_brand": product.get("brand"),
        "context_product_price": product.get("price"),
        "context_product_discount_price": product.get("discountPrice") or None,
        "context_product_url_path": product.get("urlPath"),
        "order_id": order.get("id"),
        "order_details": _details(order) if order else None,
    }


def _details(order: dict[str, Any]) -> dict[str, Any]:
    """An order without its id, as its row has it: numbers are text, and 0 is no discount."""
    details = {"total": f"{order['total']:.2f}", "currency": order["currency"]}
    items = [
        {
            **{name: item[name] for name in ("id", "name", "category", "brand")},
            "price": f"{item['price']:.2f}",
            **({"discount_price": f"{item['discountPrice']:.2f}"} if item["discountPrice"] else {}),
            "quantity": str(item["quantity"]),
        }
        for item in order.get("items", [])
    ]
    return details | ({"items": items} if items else {})


SPECIFIC_VIEWS = ("home_view", "category_view", "product_view")


def expected_counts(visitors: list[list[Event]]) -> dict[str, int]:
    """What the warehouse must count of these events, each visitor's in the order in which they happened."""
    bought = [purchase for events in visitors for purchase in _bought(events)]
    return {
        "pages": sum(_pages(events) for events in visitors),
        "orders": len(bought),
        "units": sum(units for units, _ in bought),
        "revenue": sum(total for _, total in bought),
    }


def _pages(events: list[Event]) -> int:
    """Pages seen: a ``page_view`` and a specific view of one URL within ten seconds are one."""
    specific = [event for event in events if event["eventName"] in SPECIFIC_VIEWS]

    def said_too(view: Event) -> bool:
        return any(
            other["pageUrl"] == view["pageUrl"] and abs(_seconds(other) - _seconds(view)) <= 10
            for other in specific
        )

    general = [event for event in events if event["eventName"] == "page_view" and not said_too(event)]
    return len(specific) + len(general)


def _seconds(event: Event) -> float:
    return datetime.fromisoformat(event["eventTimestamp"]).timestamp()


def _bought(events: list[Event]) -> Iterator[tuple[int, int]]:
    """Units and total of each order, once however often its success page was loaded."""
    cart, seen = 0, set()
    for event in events:
        order, product = event.get("order", {}), event.get("product", {})
        if event["eventName"] == "add_to_cart":
            cart += 1
        if event["eventName"] != "purchase" or order.get("id") in seen:
            continue
        if order:
            seen.add(order["id"])
            yield sum(item["quantity"] for item in order.get("items", [])) or cart, order["total"]
        else:
            yield 1, product["discountPrice"] or product["price"]
        cart = 0


def recent(visitors: list[list[Event]], now: datetime) -> int:
    """How many of these events lie in the half hour before ``now``."""
    since = _time_text(now - timedelta(minutes=30))
    return sum(event["eventTimestamp"] >= since for events in visitors for event in events)
