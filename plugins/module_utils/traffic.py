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

    def context(self) -> dict[str, Any]:
        """The event's ``product``."""
        return {
            "id": self.id,
            "name": self.name,
            "category": self.category,
            "brand": self.brand,
            "price": self.price,
            "discountPrice": self.discount_price,
            "urlPath": f"/products/{self.id}",
        }


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


def visits(run_id: str, visitors: int, now: datetime, seed: int = 1) -> list[list[Event]]:
    """One list of events for each visitor's session, in the order in which they happen.

    run_id: marks every event: client ids begin with ``verify-<run_id>-``, so that a run's events can be found
        and removed again.
    now: aware; all events lie in the half hour before it.
    Raises ValueError for a naive ``now``.
    """
    if now.tzinfo is None:
        raise ValueError("now must be an aware datetime")
    chance = random.Random(f"{seed}:{run_id}")  # noqa: S311 - traffic, not a secret
    return [list(_session(chance, client_prefix(run_id), number, now)) for number in range(visitors)]


def client_prefix(run_id: str) -> str:
    """What the client ids of a run's events begin with."""
    return f"verify-{run_id}-"


def user_agent(run_id: str) -> str:
    """The User-Agent of a run's requests: it marks those, too, that hold no event."""
    return f"clickstream-verify/{run_id}"


def _session(chance: random.Random, prefix: str, number: int, now: datetime) -> Iterator[Event]:
    logged_in = chance.random() < 0.4
    moment = now.astimezone(UTC) - timedelta(seconds=chance.uniform(900, 1800))
    visitor = {
        "clientId": f"{prefix}{number:03d}",
        "sessionId": f"{prefix}{number:03d}-s1",
        "userId": f"user-{number:03d}" if logged_in else None,
        "userLoginState": "logged_in" if logged_in else "anonymous",
        "identitySource": "cognito" if logged_in else None,
        "isFirstVisit": chance.random() < 0.6,
    }
    for name, product in _steps(chance):
        moment += timedelta(seconds=chance.uniform(2, 40))
        path = f"/products/{product.id}" if product else "/"
        yield {
            "eventName": name,
            "eventId": str(uuid.UUID(int=chance.getrandbits(128), version=4)),
            "eventTimestamp": moment.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "pageUrl": f"https://shop.example{path}",
            **{key: value for key, value in visitor.items() if value is not None},
            **({"product": product.context()} if product else {}),
        }


def _steps(chance: random.Random) -> Iterator[tuple[str, Product | None]]:
    """A session's event names with their products; some sessions go on to the cart and the checkout."""
    yield from [("page_view", None), ("home_view", None)]
    in_cart = None
    for _ in range(chance.randint(1, 5)):
        product = chance.choice(CATALOGUE)
        yield from [("category_view", None), ("page_view", product), ("product_view", product)]
        if chance.random() < CHANCE_OF_CART:
            in_cart = product
            yield "add_to_cart", product  # an alias; see ALIASES
    if in_cart and chance.random() < CHANCE_OF_CHECKOUT:
        yield "checkout_start", in_cart
        if chance.random() < CHANCE_OF_PURCHASE:
            yield "purchase", in_cart


ALIASES = {"add_to_cart": "add_to_cart_click", "purchase": "checkout_complete"}
"""The names under which the warehouse stores these: written out again, so that the check is independent."""


def expected_row(event: Event) -> dict[str, Any]:
    """The warehouse row that an event must become: its columns by name; the time as ISO, in UTC."""
    product = event.get("product", {})
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
        "context_product_discount_price": product.get("discountPrice"),
        "context_product_url_path": product.get("urlPath"),
    }
