"""The deployed warehouse as its loader sees it, and the events that the tests put there."""

from __future__ import annotations

import csv
import io
import json
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import psycopg2

from etl.row import Row
from tests.bench.shop import Shop
from tests.support.deployment import ANALYTICS_ADDRESS, aws, bucket, on_host, wait_until

ZONE = ZoneInfo("Asia/Ho_Chi_Minh")
TODAY = datetime.now(ZONE).date()
SHOP = Shop(420, seed=4, end=TODAY - timedelta(days=1), days=42)
"""Six weeks: some eighty visitors a week, a tenth of them coming back, all categories and brands, bots."""
COPY = f"COPY clickstream_events ({', '.join(Row._fields)}, loaded_at) FROM STDIN WITH (NULL '')"
OF_TODAY = "client-of-today"
FAILED = "events/unreadable.json"


class Warehouse:
    """Connected as the functions are; takes the place of a throw-away server in the plain counts."""

    def __init__(self) -> None:
        name = "/clickstream/warehouse/loader_password"
        self._password = aws("ssm").get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"]
        self._connection: Any = None

    def execute(self, sql: str, parameters: Any = None) -> list[Any]:
        """Run SQL and return its rows."""
        with self.cursor() as cursor:
            cursor.execute(sql, parameters)
            return cursor.fetchall() if cursor.description else []

    def execute_as_owner(self, sql: str) -> list[Any]:
        """Return rows of what the loader may not read, as texts."""
        done = on_host(f'runuser -u postgres -- psql --csv -tXd clickstream_dw -c "{sql}"')
        assert done.returncode == 0, done.stderr
        return [tuple(value or None for value in row) for row in csv.reader(io.StringIO(done.stdout))]

    def cursor(self) -> Any:
        """Return a cursor; the connection is made when it is needed, and again after it was lost."""
        if self._connection is None or self._connection.closed:
            self._connection = psycopg2.connect(
                host=ANALYTICS_ADDRESS,
                user="clickstream_loader",
                password=self._password,
                dbname="clickstream_dw",
                sslmode="require",
                connect_timeout=5,
            )
            self._connection.autocommit = True
        return self._connection.cursor()

    def close(self) -> None:
        """Close the connection."""
        if self._connection is not None:
            self._connection.close()


def have_known_events(warehouse: Warehouse, shop: Shop = SHOP) -> None:
    """Load the shop's rows, where they are not there yet, and some raw objects through the real ETL."""
    if not warehouse.execute("SELECT 1 FROM clickstream_events WHERE client_id = %s LIMIT 1", (OF_TODAY,)):
        load(warehouse, shop)
        send_through_the_pipeline()
    warehouse.execute(
        "INSERT INTO etl_object_failures VALUES (%s, 3, 'AccessDenied', now() - interval '3 hours', now()) "
        "ON CONFLICT DO NOTHING",
        (FAILED,),
    )


def load(warehouse: Warehouse, shop: Shop) -> None:
    """Load a shop's rows as the loader does: the counts beside them are made by the table's trigger."""
    first, last = (datetime.fromtimestamp(at // 1000, UTC) for at in (shop.start, shop.end))
    days = [first + timedelta(days=day) for day in range((last - first).days + 2)]
    warehouse.execute("SELECT make_partitions(%s::timestamptz[])", (days,))
    with warehouse.cursor() as cursor:
        cursor.copy_expert(COPY, io.StringIO("".join(shop.rows(loaded_at=True))))


def forget_what_failed(warehouse: Warehouse) -> None:
    """Take out the object that is not there: nothing else may wait for it."""
    warehouse.execute("DELETE FROM etl_object_failures WHERE object_key = %s", (FAILED,))


def send_through_the_pipeline() -> None:
    """Have the ETL load a session of today, a copy of it, what looks wrong, and what cannot be rows."""
    now = datetime.now(UTC).replace(microsecond=0)
    names = ["page_view", "product_view", "add_to_cart_click", "checkout_start", "checkout_complete"]
    product = {"id": "of-today", "name": "=1+1 <b>Bàn phím</b>", "category": "keyboard", "brand": "Razer"}
    events = [
        {
            "eventName": name,
            "eventId": str(uuid.uuid4()),
            "eventTimestamp": (now - timedelta(seconds=60 * (9 - place))).isoformat(),
            "clientId": OF_TODAY,
            "userLoginState": "guest",
            "pageUrl": f"https://shop.example/{name}",
            **({"product": {**product, "price": 100, "discountPrice": 90}} if "_" in name[5:] else {}),
        }
        for place, name in enumerate(names)
    ]
    bought = {"id": "of-today", "category": "keyboard", "brand": "Razer", "price": 100, "quantity": 3}
    events[-1]["order"] = {"id": "order-of-today", "total": 310, "currency": "VND", "items": [bought]}
    foreign = {
        **events[-1],
        "eventId": str(uuid.uuid4()),
        "order": {"id": "order-abroad", "total": 19.99, "currency": "USD"},
        "product": {"id": "a-percentage", "price": 100, "discountPrice": 4},
    }
    events.append(foreign)
    wrong: list[dict[str, Any]] = [{"clientId": "nobody"}, {"eventName": 7}, {"eventName": "x" * 500}]
    folder = f"events/{now:%Y/%m/%d/%H}"
    for number, content in enumerate([events, events, wrong]):
        told = {"receivedAt": now.isoformat(), "refusals": {"events": 7, "kept": 3}}
        body = json.dumps({"events": content, "_ingest": told})
        aws("s3").put_object(
            Bucket=bucket("ingest"), Key=f"{folder}/event-e2e-{number}-{uuid.uuid4()}.json", Body=body
        )
    payload = json.dumps({"prefix": folder})

    def loaded() -> bool:  # not while the scheduled run is at work
        answer = aws("lambda").invoke(FunctionName="SBW_Lamda_ETL", Payload=payload)
        return bool(json.load(answer["Payload"])["status"] == "complete")

    wait_until(loaded, "the ETL loads the raw objects", 60)
