"""A verification cannot be all right where a station is not."""

import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.clickstream.aws.plugins.filter.table import table
from ansible_collections.clickstream.aws.plugins.filter.verification import verification
from ansible_collections.clickstream.aws.plugins.module_utils import traffic
from ansible_collections.clickstream.aws.plugins.modules import collector_probe, raw_probe
from contract.timestamps import ClockRules
from etl.records import read_object
from etl.row import Row
from tests.support.postgres import find_binaries, throwaway_postgres

COMPARE = Path(__file__).parents[2] / "files" / "verify" / "compare_events.sql"

NOW = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
ROW = {"event_id": "0b7d6f0e-0000-4000-8000-000000000001"}
COUNTS = {"pages": 1, "orders": 1, "units": 2, "revenue": 300}
GOOD = {
    "sent": {"stations": [], "rows": [ROW], "requests": 1, "counts": COUNTS, "recent": 1},
    "raw": {"objects": ["events/a"], "event_ids": [ROW["event_id"]], "rejected": ["rejected/a"]},
    "etl": {"status": "complete", "objects": {"failed": 0}},
    "rows": {"found": 1, "equal": 1, "first_difference": None, **COUNTS},
    "page": {"status": 200, "content": '<meta name="clickstream-events-last-hour" content="7">'},
}
WRONG = [
    ("raw", {**GOOD["raw"], "objects": []}),
    ("raw", {**GOOD["raw"], "objects": ["events/a", "events/b"]}),
    ("raw", {**GOOD["raw"], "event_ids": ["another"]}),
    ("raw", {**GOOD["raw"], "rejected": []}),
    ("etl", {**GOOD["etl"], "status": "incomplete"}),
    ("etl", {**GOOD["etl"], "objects": {"failed": 1}}),
    ("rows", {"found": 2, "equal": 1}),
    ("rows", {"found": 1, "equal": 0, "first_difference": "a is b"}),
    *[("rows", {**GOOD["rows"], count: 9}) for count in COUNTS],
    ("page", {"status": 200, "content": "<html>"}),
    ("page", {"status": 500, "content": GOOD["page"]["content"]}),
    *[(station, {}) for station in GOOD],
]


def test_all_is_right_where_every_station_holds_what_was_sent() -> None:
    assert all(station["ok"] for station in verification(**GOOD))


@pytest.mark.parametrize(("station", "found"), WRONG)
def test_one_wrong_station_is_seen(station: str, found: dict) -> None:
    assert not all(row["ok"] for row in verification(**{**GOOD, station: found}))


def test_rows_that_are_right_and_counted_wrongly_say_where_to_look() -> None:
    stations = verification(**{**GOOD, "rows": {**GOOD["rows"], "orders": 2}})
    [wrong] = [station for station in stations if not station["ok"]]
    assert wrong["station"] == "warehouse: orders, each once"
    assert wrong["expected"] == "1"
    assert wrong["found"].startswith("2; the rows are right")


def test_traffic_is_the_same_for_the_same_run_and_lies_in_the_last_half_hour() -> None:
    """All but the carts of the day before."""
    first, second = (traffic.visits("r", 20, NOW) for _ in range(2))
    assert first == second
    times = {event["eventId"]: event["eventTimestamp"] for session in first for event in session}
    old = [event for session in first for event in session if event["sessionId"].endswith("-s0")]
    yesterday = [times.pop(event["eventId"]) for event in old]
    assert min(times.values()) >= "2026-11-21T05:30" and max(times.values()) < "2026-11-21T06:00"
    assert yesterday and max(yesterday) < "2026-11-20T07:00"
    assert traffic.recent(first, NOW) == len(times)
    assert first != traffic.visits("s", 20, NOW)


def test_traffic_holds_the_whole_funnel_and_distinct_ids() -> None:
    events = [event for session in traffic.visits("r", 40, NOW) for event in session]
    names = {event["eventName"] for event in events}
    assert {"page_view", "product_view", "add_to_cart", "checkout_start", "purchase"} <= names
    assert len({event["eventId"] for event in events}) == len(events)
    assert all(event["clientId"].startswith("verify-r-") for event in events)


def test_traffic_is_what_different_trackers_send() -> None:
    """Already of two visitors: an order of several items loaded twice, and a cart of yesterday."""
    both, specific = traffic.visits("r", 2, NOW)
    assert "page_view" in {event["eventName"] for event in both}
    assert "page_view" not in {event["eventName"] for event in specific}
    order, again = (event["order"] for event in both if event["eventName"] == "purchase")
    assert order == again and len(order["items"]) + order["items"][0]["quantity"] > 2
    assert order["total"] > 0 and order["currency"] == "VND"
    carts = [event["product"] for event in specific if event["eventName"] == "add_to_cart"]
    assert {"id", "name"} in [set(product) for product in carts]
    [bought] = [event for event in specific if event["eventName"] == "purchase"]
    assert "items" not in bought["order"] and "product" not in bought
    more = [event for session in traffic.visits("r", 20, NOW) for event in session]
    assert 0 in [event.get("product", {}).get("discountPrice") for event in more]
    views = [event["pageUrl"] for event in both if "product" in event]
    assert views[:4] == [views[0], views[1]] * 2  # two tabs


@pytest.mark.skipif(find_binaries() is None, reason="PostgreSQL is not installed")
def test_the_warehouse_makes_of_the_traffic_what_a_verification_expects() -> None:
    """The loader's rows in a warehouse with its triggers, compared as the role compares them."""
    now = datetime.now(UTC)
    visitors = traffic.visits("r", 40, now, "USD")
    lines = []
    for number, events in enumerate(visitors):
        ingest = {"receivedAt": now.isoformat(), "userAgent": traffic.user_agent("r")}
        content = json.dumps({"events": events, "_ingest": ingest}).encode()
        records = read_object(content, f"events/{number}.json", now, ClockRules(), 10**9)
        assert not records.rejected
        lines += [line for _, line in records.lines]
    expected = [traffic.expected_row(event) for events in visitors for event in events]
    with throwaway_postgres() as server:
        server.create_database()
        server.execute("SELECT make_partitions(ARRAY[now()])")
        with server.connect() as connection, connection.cursor() as cursor:
            columns = ", ".join(Row._fields)
            copy = f"COPY clickstream_events ({columns}) FROM STDIN WITH (NULL '')"
            cursor.copy_expert(copy, io.StringIO("".join(lines)))
        connection.close()
        asked = {"expected": json.dumps(expected), "prefix": traffic.client_prefix("r")}
        [(wanted, found, equal, *counts, difference)] = server.execute(COMPARE.read_text(), asked)
    assert (found, equal, difference) == (wanted, wanted, None)
    assert dict(zip(COUNTS, counts, strict=True)) == traffic.expected_counts(visitors)


def test_every_event_is_sent_in_a_request_and_one_batch_has_a_bad_one() -> None:
    sessions = traffic.visits("r", 10, NOW)
    requests = collector_probe.requests_of(sessions, with_gzip=False)
    *good, bad = requests
    assert sum(request.accepted for request in good) == sum(map(len, sessions))
    assert bad.rejected == (1,)
    assert len(json.loads(bad.body)["events"]) == bad.accepted + 1


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (500, {"accepted": 2, "rejected": []}),
        (200, None),
        (200, {"accepted": 1, "rejected": []}),
        (200, {"accepted": 2, "rejected": [{"index": 0}]}),
    ],
)
def test_an_answer_that_is_not_the_contracts_is_seen(status: int, answer: object) -> None:
    request = collector_probe.Request(b"[]", "application/json", 2)
    assert collector_probe.verdict(request, 200, {"accepted": 2, "rejected": []}) == ""
    assert collector_probe.verdict(request, status, answer)


def test_hours_run_from_the_first_to_the_last_across_midnight() -> None:
    since = datetime(2026, 11, 20, 22, 59, tzinfo=UTC)
    until = datetime(2026, 11, 21, 0, 1, tzinfo=UTC)
    assert raw_probe.hours(since, until) == ["2026/11/20/22/", "2026/11/20/23/", "2026/11/21/00/"]


@pytest.mark.parametrize(
    "document", [[{"clientId": "c"}], {"events": [{"clientId": "c"}], "_ingest": {}}, {"client_id": "c"}]
)
def test_events_are_found_in_each_raw_form(document: object) -> None:
    assert [raw_probe.client_of(event) for event in raw_probe.events_of(document)] == ["c"]


def test_a_table_is_as_wide_as_its_values() -> None:
    rows = [{"ok": True, "station": "raw"}, {"ok": False}]
    assert table(rows, ["ok", "station"]) == ["ok  station", "✓   raw", "✗"]
