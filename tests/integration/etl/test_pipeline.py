"""What a browser sends is what the dashboard says: collector, bucket, ETL, warehouse, dashboard's queries.

No cloud: the functions are called as Lambda calls them, and the bucket is in memory. The cases are those that
real trackers and shops have sent.
"""

from __future__ import annotations

import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ingest.collect import Moment, collect
from ingest.raw import StoredObject
from ingest.settings import Settings
from tests.support.dashboard_queries import dashboard_queries
from tests.support.etl import run_etl
from tests.support.plain_model import check_model
from tests.support.postgres import READER, ThrowawayPostgres
from tests.support.raw_store import RawStore

START = datetime(2025, 12, 6, 5, 0, tzinfo=UTC)
PERIOD = ("2025-12-05", "2025-12-07", "Asia/Ho_Chi_Minh", "", "", "")
BROWSER = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0"
FULL = {
    "id": "lap-1",
    "name": "Laptop",
    "category": "laptops",
    "brand": "Acme",
    "price": 899,
    "discountPrice": 849,
}


class Shop:
    """Pages that send, and the dashboard that is looked at."""

    def __init__(self, server: ThrowawayPostgres) -> None:
        self.server = server
        self.store = RawStore()

    def send(self, minute: float, *events: Any, sent_at: Any = None, agent: str = BROWSER) -> dict[str, Any]:
        """Send a request so many minutes after the start; each event has the time of it, and a client."""
        at = START + timedelta(minutes=minute)
        usual = {"clientId": "c", "eventTimestamp": at.isoformat()}
        body = {"sentAt": sent_at or at.isoformat(), "events": [{**usual, **event} for event in events]}
        request = {
            "version": "2.0",
            "requestContext": {"http": {"method": "POST", "path": "/clickstream", "userAgent": agent}},
            "routeKey": "POST /clickstream",
            "headers": {"content-type": "text/plain"},
            "body": json.dumps(body),
        }
        stored: list[StoredObject] = []
        response = collect(request, Settings("raw"), Moment(at, str(uuid.uuid4())), stored.append).response
        for one in stored:
            self.store.put(one.key, one.body)
        return {"status": response["statusCode"], **json.loads(response.get("body") or "{}")}

    def ask(self, query: str, *own: str) -> list[dict[str, Any]]:
        """Load what was sent, and return the rows of a query of the dashboard."""
        assert run_etl(self.server, self.store, seconds_left=lambda: 600.0)["status"] == "complete"
        check_model(self.server)
        connection = self.server.connect(READER)
        with connection, connection.cursor() as cursor:
            cursor.execute(f"PREPARE question AS {dashboard_queries()[query]}")
            parameters = [*PERIOD, *own]
            cursor.execute(f"EXECUTE question ({', '.join(['%s'] * len(parameters))})", parameters)
            names = [column.name for column in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor]
        connection.close()
        return rows


@pytest.fixture
def shop(postgres: ThrowawayPostgres) -> Shop:
    postgres.execute("TRUNCATE catalogue; SELECT set_currency('USD')")
    return Shop(postgres)


def some(row: dict[str, Any], *names: str) -> tuple[Any, ...]:
    return tuple(row[name] for name in names)


def view(page: str, **more: Any) -> dict[str, Any]:
    return {"eventName": "product_view", "pageUrl": f"https://shop.example/{page}", **more}


def test_pages_seen_and_a_bounce(shop: Shop) -> None:
    shop.send(0, {"eventName": "page_view", "pageUrl": "https://shop.example/"})
    shop.send(1, view("a"), view("b"), view("c"), {"eventName": "add_to_cart_click"})
    [totals] = shop.ask("totals")
    assert some(totals, "sessions", "page_views", "bounce_rate") == (1, 4, 0)


def test_orders_of_several_items_count_once_and_a_cart_of_an_earlier_session_names_what_was_bought(
    shop: Shop,
) -> None:
    items = [{**FULL, "quantity": 2}, {"id": "cable-3", "price": 49.5}]
    order = {"id": "A-1", "total": 1747.5, "currency": "USD", "items": items}
    for minute in (0, 1, 1500):
        shop.send(minute, {"eventName": "checkout_complete", "order": order})
    shop.send(0, {"eventName": "add_to_cart_click", "clientId": "d", "product": {**FULL, "quantity": 3}})
    shop.send(120, {"eventName": "checkout_complete", "clientId": "d"})
    nobody = {
        "clientId": None,
        "eventName": "checkout_complete",
        "order": {"id": "B-1", "total": 10, "currency": "EUR"},
    }
    shop.send(5, nobody)
    [totals] = shop.ask("order_totals", "")
    assert some(totals, "orders", "units", "revenue") == (3, 6, 1747.5 + 3 * 849)
    assert [some(row, "label", "found") for row in shop.ask("data_findings")] == [
        ("Orders in another currency", 1)
    ]


def test_a_product_is_what_is_known_of_it_and_what_the_shop_says(shop: Shop) -> None:
    shop.send(0, view("lap-1", product=FULL))
    shop.send(1, {"eventName": "add_to_cart_click", "product": {"id": "lap-1", "name": "Laptop"}})
    shop.send(2, view("tv", product={"id": "tv", "price": 9290000, "discountPrice": 0}))
    prices = ("name", "category", "brand", "price", "discount_price")
    found = {row["key"]: some(row, *prices) for row in shop.ask("products", "product")}
    assert found == {"lap-1": ("Laptop", "laptops", "Acme", 899, 849), "tv": ("tv", "", "", 9290000, None)}
    shop.send(3, view("lap-1", product={**FULL, "name": "Cheap", "price": 1, "discountPrice": None}))
    assert shop.ask("products", "product")[0]["name"] == "Cheap"
    assert [row["label"] for row in shop.ask("data_findings")] == [
        "Products that an unverified event changed"
    ]
    shop.server.execute(
        "INSERT INTO catalogue VALUES ('lap-1', 'Laptop 14', 'computers', 'Acme', 899, NULL, 600)"
    )
    assert some(shop.ask("products", "product")[0], *prices) == ("Laptop 14", "computers", "Acme", 899, None)
    assert shop.ask("data_findings") == []


def test_text_that_people_and_pages_write(shop: Shop) -> None:
    decomposed = {"id": "kb\u200b", "name": "\nBa\u0300n phi\u0301m co\u031b\xa0", "category": " \xa0"}
    shop.send(0, {"eventName": "view_product", "product": {"id": " kb", "name": "Bàn phím cơ"}})
    shop.send(1, {"eventName": "product_view", "context_product": {"product_id": "kb", "brandName": "Acme"}})
    shop.send(2, {"eventName": "product_view", "product": decomposed})
    [product] = shop.ask("products", "product")
    assert some(product, "key", "name", "category", "brand", "views") == ("kb", "Bàn phím cơ", "", "Acme", 3)


def test_who_is_who(shop: Shop) -> None:
    nobody: list[Any] = ["undefined", "NULL", "NaN", "[object Object]", 0, "-", "none", str(uuid.UUID(int=0))]
    shop.send(
        0, *({"eventName": "page_view", "clientId": one, "userId": f"u{n}"} for n, one in enumerate(nobody))
    )
    shop.send(1, {"eventName": "page_view", "clientId": 17})
    shop.send(2, {"eventName": "page_view", "clientId": None, "userId": "17"})
    assert shop.ask("totals")[0]["visitors"] == len(nobody) + 2


def test_sent_again_and_counted_once(shop: Shop) -> None:
    first, second, third = ({"eventName": "page_view", "eventId": one} for one in "ABC")
    shop.send(0, first, second)
    shop.send(0, second, third)
    assert [row["events"] for row in shop.ask("events_by_name")] == [3]


@pytest.mark.parametrize(
    ("claimed", "sent_at"),
    [
        ("+010013-12-06T04:00:00.000Z", "+010013-12-06T05:00:00.000Z"),
        (1764993600000, None),  # 2025-12-06T04:00Z
        ("1764993600000", None),
        ("2025-12-06T03:59:60Z", None),
    ],
)
def test_times_that_are_possible_or_can_be_corrected(shop: Shop, claimed: Any, sent_at: Any) -> None:
    answer = shop.send(0, {"eventName": "page_view", "eventTimestamp": claimed}, sent_at=sent_at)
    assert some(answer, "status", "accepted") == (200, 1)
    seen = {
        row["bucket"]: row["page_views"] for row in shop.ask("totals_over_time", "hour") if row["page_views"]
    }
    assert seen == {"2025-12-06 11:00": 1}  # in Ho Chi Minh City


@pytest.mark.parametrize(
    ("agent", "sessions"),
    [
        ("okhttp/4.12.0", 0),
        ("Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)", 0),
        (
            "Mozilla/5.0 (Linux; Android 9; CUBOT_X19) AppleWebKit/537.36 Chrome/120.0 Mobile",
            1,
        ),
    ],
)
def test_bots_and_people(shop: Shop, agent: str, sessions: int) -> None:
    shop.send(0, {"eventName": "page_view"}, agent=agent)
    assert shop.ask("totals")[0]["sessions"] == sessions


def test_more_items_and_higher_quantities_than_are_kept_are_refused_and_the_most_is_counted(
    shop: Shop,
) -> None:
    def order(number: int, quantity: Any) -> dict[str, Any]:
        listed = [{"id": f"p{one}", "price": 1, "quantity": quantity} for one in range(number)]
        return {"eventName": "checkout_complete", "order": {"id": f"{number} {quantity}", "items": listed}}

    answer = shop.send(0, order(100, 9_999_999), order(101, 1), order(1, 10_000_000))
    codes = [entry["code"] for entry in answer["rejected"]]
    assert codes == ["too_many_order_items", "invalid_order_items_quantity"]
    [totals] = shop.ask("order_totals", "")
    assert some(totals, "orders", "units") == (1, 100 * 9_999_999)
