"""A raw object -> rows and rejected events; rows -> COPY text. Pure."""

from __future__ import annotations

import gzip
import json
import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.timestamps import ClockRules
from etl.bots import OF_PEOPLE, names_bot
from etl.copytext import copy_line, copy_values
from etl.records import MAX_RAW_EVENT, Records, event_at, read_object
from etl.row import Row
from ingest.collect import Moment, collect
from ingest.raw import StoredObject
from ingest.settings import Settings

KEY = "events/2025/12/06/05/event-x.json"
LISTED = datetime(2025, 12, 6, 5, 30, tzinfo=UTC)
LIMIT = 1_000_000
EVENT_ID = "2f1c6a3e-7d5b-4a43-9c1e-0a2b3c4d5e6f"
EVENT = {
    "eventId": EVENT_ID,
    "eventName": "purchase",
    "eventTimestamp": "2025-12-06T12:29:00+07:00",
    "pageUrl": "https://shop/p/1",
    "referrer": "",
    "userId": 12,
    "userLoginState": "guest",
    "identitySource": "form",
    "clientId": "c",
    "sessionId": "s",
    "isFirstVisit": False,
    "product": {
        "id": 7,
        "name": "Máy tính",
        "category": "laptop",
        "brand": "Dell",
        "price": 15990000,
        "discountPrice": "14990000.5",
        "urlPath": "/p/1",
        "quantity": 2,
    },
    "element": {"tag": "a", "dataset": {"k": "\0"}},
    "order": {
        "id": 17,
        "total": 1790,
        "currency": "vnd",
        "items": [{"id": 7, "price": 900.5, "quantity": 2}, {"id": None}],
    },
}
INGEST = {"receivedAt": "2025-12-06T05:29:30.5Z", "requestId": "r"}
ROW = Row(
    event_id=EVENT_ID,
    event_timestamp="2025-12-06T05:29:00.000000Z",
    event_name="checkout_complete",
    user_id="12",
    user_login_state="guest",
    identity_source="form",
    client_id="c",
    session_id="s",
    is_first_visit="f",
    context_product_id="7",
    context_product_name="Máy tính",
    context_product_category="laptop",
    context_product_brand="Dell",
    context_product_price="15990000",
    context_product_discount_price="14990000.5",
    context_product_url_path="/p/1",
    page_url="https://shop/p/1",
    referrer=None,
    element='{"dataset":{"k":"\ufffd"},"tag":"a"}',
    context_product_quantity="2",
    order_id="17",
    order_details='{"total":"1790.00","currency":"VND","items":[{"id":"7","price":"900.50","quantity":"2"}]}',
    identity_verified="f",
    event_timestamp_source="client",
    is_bot="f",
    received_at="2025-12-06T05:29:30.500000Z",
    source_object=KEY,
    source_position="0",
)


def read(body: object) -> Records:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_object(content, KEY, LISTED, ClockRules(), LIMIT)


def rows(body: object) -> list[Row]:
    return [Row.of_line(line) for _, line in read(body).lines]


def snake(name: str) -> str:
    return "".join("_" + letter.lower() if letter.isupper() else letter for letter in name)


@pytest.mark.parametrize(
    "body",
    [
        {"events": [EVENT], "_ingest": INGEST},
        EVENT | {"_ingest": INGEST},
        [EVENT | {"_ingest": INGEST}],
        gzip.compress(json.dumps({"events": [EVENT], "_ingest": INGEST}).encode()),
        b"\xef\xbb\xbf" + json.dumps([EVENT | {"_ingest": INGEST}]).encode(),
    ],
)
def test_all_raw_forms_give_the_same_row(body: object) -> None:
    assert rows(body) == [ROW]


def test_snake_case_gives_the_same_row() -> None:
    event = {snake(name): value for name, value in EVENT.items()}
    event["product"] = {snake(name): value for name, value in EVENT["product"].items()}  # type: ignore[attr-defined]
    assert rows({"events": [event], "_ingest": INGEST}) == [ROW]


def test_the_least_event_is_a_row() -> None:
    [row] = rows({"eventName": "x"})
    assert row.event_timestamp == row.received_at == "2025-12-06T05:30:00.000000Z"
    assert row.event_timestamp_source == "received"
    assert uuid.UUID(row.event_id).version == 5
    assert rows({"eventName": "x"}) == [row]


@pytest.mark.parametrize("fast", [True, False])
def test_a_text_is_clean_in_its_row(fast: bool) -> None:
    """Surrounding white space is nothing, accents are composed, and an id that is none is absent."""
    dirty = EVENT | {
        "eventId": f" {EVENT_ID}\n",
        "eventName": "\ufeffpurchase\u00a0",
        "userId": " 12\u200b",
        "clientId": "c\r\n",
        "sessionId": "\u2003s",
        "pageUrl": "https://shop/p/1 ",
        "referrer": " \n",
        "product": EVENT["product"]
        | {"name": "Ma\u0301y ti\u0301nh ", "brand": " Dell", "category": "laptop\u3000"},  # type: ignore[operator]
        "element": {"tag": "a", "dataset": {"k": "\0"}},
    }
    nobody = EVENT | {"userId": "Undefined", "clientId": "[object Object]", "sessionId": "0"}
    for ascii in (True, False):
        content = json.dumps({"events": [dirty, nobody], "_ingest": INGEST}, ensure_ascii=ascii).encode()
        lines = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
        absent = ROW._replace(user_id=None, client_id=None, session_id=None, source_position="1")
        assert [Row.of_line(line) for _, line in lines] == [ROW, absent]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("text", [" café", "café\u00a0", "\u200bcafé", "cafe\u0301", "café\n"])
@pytest.mark.parametrize(
    ("field", "column"),
    [
        ("eventName", "event_name"),
        ("userId", "user_id"),
        ("clientId", "client_id"),
        ("sessionId", "session_id"),
        ("identitySource", "identity_source"),
        ("pageUrl", "page_url"),
        ("referrer", "referrer"),
    ],
)
def test_a_field_has_one_spelling(field: str, column: str, text: str, fast: bool) -> None:
    """In an event that is usual but for this."""
    event = {"eventId": EVENT_ID, "eventName": "x", field: text}
    content = json.dumps({"events": [event], "_ingest": INGEST}, ensure_ascii=False).encode()
    [(_, line)] = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
    assert getattr(Row.of_line(line), column) == "café"


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    "none", ["undefined", "NULL", "[object Object]", "0", "00000000-0000-0000-0000-000000000000"]
)
@pytest.mark.parametrize("field", ["userId", "clientId", "sessionId"])
def test_an_id_that_is_none_is_absent(field: str, none: str, fast: bool) -> None:
    event = {"eventId": EVENT_ID, "eventName": "x", "userId": "u", "clientId": "c", "sessionId": "s"}
    content = json.dumps({"events": [event | {field: none}], "_ingest": INGEST}).encode()
    [(_, line)] = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
    row = Row.of_line(line)
    absent = {"userId": row.user_id, "clientId": row.client_id, "sessionId": row.session_id}
    assert [name for name, value in absent.items() if value is None] == [field]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize("field", ["name", "category", "brand", "id", "urlPath"])
@pytest.mark.parametrize(
    "text", ["Bàn phím cơ", "Ba\u0300n phi\u0301m co\u031b", " Bàn phím cơ\u200b", "Bàn phím cơ\u00a0"]
)
def test_a_product_has_one_spelling(text: str, field: str, fast: bool) -> None:
    event = {"eventId": EVENT_ID, "eventName": "x", "product": {field: text}}
    content = json.dumps({"events": [event], "_ingest": INGEST}, ensure_ascii=False).encode()
    [(_, line)] = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
    assert "Bàn phím cơ" in Row.of_line(line)


@pytest.mark.parametrize("fast", [True, False])
def test_what_was_bought_is_in_the_row(fast: bool) -> None:
    """Also by events that were stored before there were orders, whose `order` may be anything."""
    order = {
        "id": " A-17\u200b",
        "total": "1747.50",
        "currency": "usd",
        "items": [{"id": 2**70, "quantity": 2.0}],
    }
    events = [
        {"eventName": "checkout_complete", "order": order},
        {"eventName": "page_view", "product": {"id": "7"}},
        {"eventName": "add_to_cart", "product": {"id": "7", "quantity": 3}},
        {"eventName": "x", "order": "A-17", "product": {"quantity": "many", "brandName": 5}},
        {"eventName": "x", "context_product": "laptop"},
    ]
    named = [event | {"eventId": str(uuid.uuid4())} for event in events]
    content = json.dumps({"events": named, "_ingest": INGEST}).encode()
    records = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast)
    assert len(records.lines) == 5 and not records.rejected
    rows = [Row.of_line(line) for _, line in records.lines]
    assert [row.context_product_quantity for row in rows] == [None, None, "3", None, None]
    assert [row.order_id for row in rows] == ["A-17", None, None, None, None]
    assert rows[0].order_details is not None and json.loads(rows[0].order_details) == {
        "total": "1747.50",
        "currency": "USD",
        "items": [{"id": str(2**70), "quantity": "2"}],
    }
    assert {row.order_details for row in rows[1:]} == {None}


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("price", "discounted", "expected"),
    [
        (9290000, 0, None),
        (899, 899.0, None),
        (899.5, 900, None),
        (899, 849, "849"),
        (None, 849, "849"),
        (None, 0, None),
    ],
)
def test_no_discount_is_absent(
    price: float | None, discounted: float, expected: str | None, fast: bool
) -> None:
    event = {"eventId": EVENT_ID, "eventName": "x", "product": {"price": price, "discountPrice": discounted}}
    content = json.dumps({"events": [event], "_ingest": INGEST}).encode()
    [(_, line)] = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
    assert Row.of_line(line).context_product_discount_price == expected


def test_forms_of_older_trackers_give_the_same_row() -> None:
    product = dict(EVENT["product"])  # type: ignore[call-overload]
    old = {
        "product_id": product.pop("id"),
        "brandName": product.pop("brand"),
        "productName": product.pop("name"),
    }
    event = {name: value for name, value in EVENT.items() if name != "product"} | {
        "context_product": product | old
    }
    assert rows({"events": [event], "_ingest": INGEST}) == [ROW]
    [row] = rows({"eventName": "view_product"})
    assert row.event_name == "product_view"


def test_a_verified_identity_replaces_what_the_client_says() -> None:
    identity = {"verified": True, "userId": "u", "userLoginState": "logged_in", "identitySource": "cognito"}
    [row] = rows({"events": [EVENT], "_ingest": INGEST | {"identity": identity}})
    assert row[3:6] == ("u", "logged_in", "cognito") and row.identity_verified == "t"


def test_an_event_cannot_verify_itself_in_the_collectors_form() -> None:
    forged = EVENT | {"_ingest": {"identity": {"verified": True, "userId": "root"}}}
    [row] = rows({"events": [forged], "_ingest": INGEST})
    assert row.user_id == "12" and row.identity_verified == "f"


def test_sent_at_beside_the_events_is_that_of_events_without_one() -> None:
    late = {"eventName": "x", "eventTimestamp": "2025-12-06T04:29:00Z"}
    with_its_own = late | {"sentAt": "2025-12-06T05:29:30Z"}
    body = {"events": [late, with_its_own], "sentAt": "2025-12-06T04:29:30.5Z", "_ingest": INGEST}
    times = [(row.event_timestamp, row.event_timestamp_source) for row in rows(body)]
    assert times == [
        ("2025-12-06T05:29:00.000000Z", "corrected"),
        ("2025-12-06T04:29:00.000000Z", "client"),
    ]


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("said", "counted"),
    [
        ({"events": 5, "kept": 2}, (5, 2)),
        ({"events": 2, "kept": 5}, (0, 0)),
        ({"events": -1, "kept": -1}, (0, 0)),
        ({"events": True, "kept": 1}, (0, 0)),
        ({"events": 10**30, "kept": 1}, (0, 0)),
        ({"events": 1}, (0, 0)),
        ("many", (0, 0)),
        (None, (0, 0)),
    ],
)
def test_what_the_collector_refused_is_counted_where_it_makes_sense(
    said: object, counted: tuple[int, int], fast: bool
) -> None:
    content = json.dumps({"events": [{"eventName": "x"}], "_ingest": {"refusals": said}}).encode()
    records = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast)
    assert (records.refused, records.refused_kept) == counted
    assert len(records.lines) == 1 and not records.rejected


def test_nobody_but_the_collector_says_what_was_refused() -> None:
    forged = {"eventName": "x", "_ingest": {"refusals": {"events": 5, "kept": 0}}}
    for body in ({"events": [forged], "_ingest": {}}, forged, [forged]):
        assert read(body).refused == 0


def test_an_invalid_event_is_rejected_with_its_json_and_position() -> None:
    records = read({"events": [EVENT, {"eventName": ""}, 5, EVENT | {"eventId": str(uuid.uuid4())}]})
    assert [Row.of_line(line).source_position for _, line in records.lines] == ["0", "3"]
    assert [(r.object_key, r.position, r.code, r.raw_event) for r in records.rejected] == [
        (KEY, 1, "no_event_name", '{"eventName":""}'),
        (KEY, 2, "not_an_object", "5"),
    ]


@pytest.mark.parametrize("depth", [60, 65, 500, *range(960, 1030, 3), 5000])
def test_events_of_any_depth_are_loaded_or_rejected(depth: int) -> None:
    """orjson, Python's JSON parser and its writer have different limits of depth."""
    deep = b'{"eventName": "deep", "x": %s%s}' % (b"[" * depth, b"]" * depth)
    records = read(
        b'{"events": [%s, %s], "_ingest": {}}'
        % (b'{"eventId": "%s", "eventName": "x"}' % str(uuid.uuid4()).encode(), deep)
    )
    assert records.rejected or depth == 60
    # Either the event is refused, or the object as a whole.
    whole = bool(records.rejected) and records.rejected[0].position == -1
    assert len(records.lines) == (0 if whole else 2 - len(records.rejected))


def test_an_empty_text_counts_as_an_absent_field() -> None:
    names = ["eventTimestamp", "sentAt", "userId", "userLoginState", "isFirstVisit", "element", "clientId"]
    product = dict.fromkeys(["id", "name", "price", "discountPrice"], "")
    empty = {"eventId": str(uuid.uuid4()), "eventName": "x"} | dict.fromkeys(names, "") | {"product": product}
    bare = {name: value for name, value in empty.items() if name.startswith("event") and value}
    one, other = rows({"events": [empty, bare | {"product": ""}], "_ingest": INGEST})
    assert one._replace(source_position="1") == other


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "not JSON: Expecting value"),
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"null", "null, not events"),
        (b'"text\\u0000"', "a string, not events"),
        (b"[" * 100_000, "not JSON: nested too deeply"),
        (gzip.compress(b"x" * (LIMIT + 1)), "more than"),
        (gzip.compress(b"{}")[:-3], "cut short"),
    ],
)
def test_an_unreadable_object_is_one_rejected_event(content: bytes, reason: str) -> None:
    records = read(content)
    [rejected] = records.rejected
    assert not records.lines
    assert (rejected.position, rejected.code) == (-1, "unreadable")
    assert reason in rejected.reason
    assert "\0" not in rejected.raw_event and len(rejected.raw_event) <= MAX_RAW_EVENT


def test_an_event_is_found_by_its_position() -> None:
    content = json.dumps({"events": [EVENT, {"eventName": "y"}]}).encode()
    assert event_at(content, 1, LIMIT) == {"eventName": "y"}
    assert event_at(gzip.compress(b'[{"eventName": "z", "_ingest": {}}]'), 0, LIMIT) == {"eventName": "z"}


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats()
    | st.text(st.characters(categories=None), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["eventName", "events", "_ingest", "product", "price", "element", "receivedAt"]),
            inner,
            max_size=4,
        )
    ),
    max_leaves=15,
)


@settings(max_examples=300)
@given(
    JSON | st.lists(st.fixed_dictionaries({"eventName": st.text(min_size=1), "element": JSON}), max_size=4)
)
def test_any_json_becomes_rows_and_rejected_events_that_postgresql_can_store(body: Any) -> None:
    records = read(body)
    events = body.get("events", [body]) if isinstance(body, dict) else body
    if isinstance(body, dict) and not isinstance(events, list):
        events = [body]
    if isinstance(events, list) and not any(r.position < 0 for r in records.rejected):
        assert len(records.lines) + len(records.rejected) == len(events)
    for _, line in records.lines:
        assert "\0" not in line
        assert line.encode("utf-8").count(b"\n") == 1
        assert line.count("\t") == len(Row._fields) - 1
        assert copy_line(copy_values(line)) == line
    for rejected in records.rejected:
        assert "\0" not in rejected.raw_event and rejected.raw_event.encode("utf-8")


EVENTS = st.lists(
    st.fixed_dictionaries(
        {"eventName": st.text(st.characters(categories=None), min_size=1, max_size=5)},
        optional={
            "eventId": st.uuids().map(str) | st.text(max_size=3),
            "event_id": st.uuids().map(str) | st.text(),
        },
    ),
    min_size=1,
    max_size=5,
)


@settings(max_examples=200)
@given(EVENTS)
def test_every_event_that_the_collector_accepts_is_a_row_with_the_id_it_gave(events: list[Any]) -> None:
    stored: list[StoredObject] = []
    request = {
        "headers": {"content-type": "application/json"},
        "requestContext": {"requestId": "r", "http": {"method": "POST", "path": "/clickstream"}},
        "body": json.dumps(events),
    }
    outcome = collect(request, Settings("raw"), Moment(LISTED, "id"), stored.append)
    raw = [item for item in stored if item.key.startswith("events/")]
    records = [read_object(item.body, item.key, LISTED, ClockRules(), LIMIT) for item in raw]
    found = [Row.of_line(line) for record in records for _, line in record.lines]
    assert len(found) == outcome.accepted and not any(record.rejected for record in records)
    for row, event in zip(found, [e for r in raw for e in json.loads(r.body)["events"]], strict=True):
        assert row.event_id in {str(event.get("eventId")), str(event.get("event_id"))}


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (("a", None, "", "\\N"), "a\t\t\t\\\\N\n"),
        (("tab\t", "line\n", "return\r", "back\\slash"), "tab\\t\tline\\n\treturn\\r\tback\\\\slash\n"),
    ],
)
def test_copy_text(values: tuple[str | None, ...], line: str) -> None:
    assert copy_line(values) == line


USUAL_VALUES = (
    st.none()
    | st.booleans()
    | st.sampled_from(
        [
            0,
            -1,
            5,
            1.5,
            10**13 - 1,
            10**13,
            1e13,
            9999999999999.998,
            2**64,
            10**30,
            "",
            " x ",
            "12.5",
            "guest",
            "a\tb",
            "\\N",
            '24"',
            "\0",
        ]
    )
    | st.sampled_from([[], {}, [[1]], {"a": [2**70]}, {"k": {"d": "v"}}, "\ud800", "é😀"])
    | st.sampled_from(
        ["\u00a0x", "x\u200b", "e\u0301", "e\u0301 é", {"k": "e\u0301"}, "\nx", "x\x1f", "  ", "é "]
    )
    | st.sampled_from(["Undefined", "null", "-", "0", "00000000-0000-0000-0000-000000000000", "NaN", "none"])
)
# A minute after the receipt, a minute before it, and 7 days before it (these objects are strangers');
# each with the first time beyond.
AT_LIMITS = [
    "2025-12-06T05:30:30.500000Z",
    "2025-12-06T05:30:30.500001Z",
    "2025-12-06T05:28:30.500000Z",
    "2025-12-06T05:28:30.499999Z",
    "2025-11-29T05:29:30.500000Z",
    "2025-11-29T05:29:30.499999Z",
]
USUAL_EVENTS = st.fixed_dictionaries(
    {
        "eventName": st.sampled_from(
            ["page_view", " purchase ", "", " ", "x" * 201, 'a"b', "e\u0301", "\u200bx"]
        )
    },
    optional={
        "eventId": st.uuids().map(str) | st.uuids().map(lambda value: str(value).upper()) | st.just("no"),
        "event_id": st.uuids().map(str),
        "eventTimestamp": st.sampled_from(
            [
                "2025-12-06T05:29:00Z",
                "2025-12-06T12:29:00.123+07:00",
                "2030-01-01",
                "+010013-12-10T04:59:00.000Z",
                "9999-12-31T23:59:00-14:00",
                "2025-12-06T05:28:60Z",
                1764998940000,
                1764998940000.25,
                "1764998940000",
                "20251206",
                10**30,
                "x",
                "",
                None,
                5,
                *AT_LIMITS,
            ]
        ),
        "sentAt": st.sampled_from(
            [
                "2025-12-06T05:29:00Z",
                "2025-12-06T04:29:00Z",
                "+010013-12-10T05:00:00.000Z",
                1764998970500,
                None,
                "x",
                *AT_LIMITS,
            ]
        ),
        "event_name": st.just("other"),
        "context_product": st.just({"id": "other"}),
        "order": st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "total", "items"), USUAL_VALUES)),
        "userLoginState": st.sampled_from(["guest", "", None, "admin"]),
        "isFirstVisit": st.sampled_from([True, False, None, "t"]),
        "product": USUAL_VALUES
        | st.fixed_dictionaries(
            {},
            optional=dict.fromkeys(
                ("id", "name", "price", "discountPrice", "urlPath", "url_path", "brandName", "quantity", "x"),
                USUAL_VALUES,
            ),
        ),
        "element": USUAL_VALUES | st.dictionaries(st.sampled_from("ab"), USUAL_VALUES, max_size=2),
        **dict.fromkeys(("userId", "clientId", "sessionId", "pageUrl", "referrer", "other"), USUAL_VALUES),
    },
)


@settings(max_examples=600)
@given(
    st.lists(USUAL_EVENTS | USUAL_VALUES, max_size=4),
    st.sampled_from([{}, {"verified": True, "userId": "u\t", "userLoginState": "logged_in"}]),
    st.booleans(),
)
def test_the_fast_path_and_the_general_path_give_the_same_rows(
    events: list[Any], identity: Any, ascii: bool
) -> None:
    body = {"events": events, "_ingest": INGEST | {"identity": identity, "userAgent": "Googlebot/2.1"}}
    content = json.dumps(body, ensure_ascii=ascii).encode("utf-8", "surrogatepass")
    fast, general = (read_object(content, KEY, LISTED, ClockRules(), LIMIT, way) for way in (True, False))
    assert fast == general


@pytest.mark.parametrize("fast", [True, False])
def test_values_at_the_limits_of_time_and_price(fast: bool) -> None:
    """At the limit the client's time and the price stand; one step beyond, the receipt's time, and no row."""
    prices: list[Any] = [10**13 - 1, 9999999999999.998, 10**13, 1e13]
    events = [{"eventId": str(uuid.uuid4()), "eventName": "x", "eventTimestamp": time} for time in AT_LIMITS]
    events += [
        {"eventId": str(uuid.uuid4()), "eventName": "x", "product": {"price": price}} for price in prices
    ]
    content = json.dumps({"events": events, "_ingest": INGEST}).encode()
    records = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast)
    found = [Row.of_line(line) for _, line in records.lines]
    assert [row.event_timestamp_source for row in found[:6]] == [
        *("client", "received"),
        *("client", "client"),
        *("client", "received"),
    ]
    assert [row.context_product_price for row in found[6:]] == ["9999999999999", "9999999999999.998"]
    assert [(item.position, item.code) for item in records.rejected] == [
        (8, "invalid_product_price"),
        (9, "invalid_product_price"),
    ]


def test_a_usual_event_takes_the_fast_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("etl.records._add_any", None)
    usual = {name: value for name, value in EVENT.items() if name != "order"} | {
        "userId": "12",
        "product": {"id": "7", "price": 1.5},
        "element": {"tag": "a"},
        "other": [1],
    }
    assert len(read({"events": [usual, usual], "_ingest": INGEST}).lines) == 2


@pytest.mark.parametrize(
    ("agent", "is_bot"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "f"),
        ("Mozilla/5.0 (Linux; Android 14; CUBOT X30) Chrome/120 Mobile Safari/537.36", "f"),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT_X18_Plus) Chrome/120 Mobile Safari/537.36", "f"),
        ("Mozilla/5.0 (Linux; Android 13; monitor-tab) Chrome/120 Safari/537.36", "f"),
        ("Mozilla/5.0 (Linux; Android 13; wv) Chrome/120 Mobile Safari/537.36 Viber/21.0", "f"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_0) AppleWebKit/605.1.15 [FBAN/FBIOS;FBAV/440.0]", "f"),
        ("Mozilla/5.0 (Linux; Android 12; SM-A125F) coc_coc_browser/110 Chrome/104 Zalo android", "f"),
        ("Dalvik/2.1.0 (Linux; U; Android 13; SM-A125F)", "f"),
        ("Mozilla/5.0 (compatible; Google-InspectionTool/1.0;)", "t"),
        ("Mozilla/5.0 (Linux; Android 6.0.1) Chrome/120 Mobile Safari/537.36 (compatible; GoogleOther)", "t"),
        ("Mozilla/5.0 (Windows NT 10.0) Chrome/120 Safari/537.36 RuxitSynthetic/1.0 v1 t2", "t"),
        ("Mozilla/5.0 (X11; Linux x86_64) Chrome/120 Safari/537.36 DatadogSynthetics", "t"),
        ("Mozilla/5.0 (compatible; UptimeRobot/2.0)", "t"),
        ("Mozilla/5.0 AppleWebKit/537.36 (compatible; ClaudeBot/1.0)", "t"),
        ("WhatsApp/2.23.20.0", "t"),
        ("okhttp/4.12.0", "t"),
        ("axios/1.6.2", "t"),
        ("node", "t"),
        ("node-fetch/1.0 (+https://github.com/bitinn/node-fetch)", "t"),
        ("Java/17.0.2", "t"),
        ("PostmanRuntime/7.36.0", "t"),
        ("Apache-HttpClient/4.5.13 (Java/17)", "t"),
        ("python-requests/2.31.0", "t"),
        ("Go-http-client/2.0", "t"),
        ("GuzzleHttp/7", "t"),
        (" ", "t"),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "t"),
        ("Mozilla/5.0 (X11) AppleWebKit/537.36 HeadlessChrome/120.0 Safari/537.36", "t"),
        ("curl/8.5.0", "t"),
        ("", "t"),
        (None, "f"),
    ],
)
def test_bots_are_flagged(agent: str | None, is_bot: str) -> None:
    [row] = rows({"events": [EVENT], "_ingest": INGEST | {"userAgent": agent}})
    assert row.is_bot == is_bot


def test_every_user_agent_of_the_list_is_a_bots_but_those_of_browsers() -> None:
    """They are found by how their words start, and not by one search for all."""
    from crawleruseragents import CRAWLER_USER_AGENTS_DATA

    missed = {
        entry["pattern"]
        for entry in CRAWLER_USER_AGENTS_DATA
        for agent in entry["instances"]
        if not names_bot(agent)
    }
    assert len(CRAWLER_USER_AGENTS_DATA) > 1_000 and missed <= OF_PEOPLE


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("claimed", "sent", "expected"),
    [
        # a browser whose clock is years ahead, milliseconds, a leap second, an offset beyond the year 9999
        ("+010013-12-10T04:59:00.000Z", "+010013-12-10T05:00:00.000Z", "2025-12-06T05:28:30.500000Z"),
        (1764998940000, 1764998970500, "2025-12-06T05:29:00.000000Z"),
        ("1764998940000", "1764998970500.0", "2025-12-06T05:29:00.000000Z"),
        ("2025-12-06T05:28:60Z", None, "2025-12-06T05:29:00.000000Z"),
        ("9999-12-31T23:59:00-14:00", "9999-12-31T23:59:30-14:00", "2025-12-06T05:29:00.500000Z"),
        # what cannot be corrected is the time of receipt
        ("+010013-12-10T04:59:00.000Z", None, "2025-12-06T05:29:30.500000Z"),
        ("0001-01-01T00:00:00+14:00", None, "2025-12-06T05:29:30.500000Z"),
        ("-271821-04-20T00:00:00.000Z", "+275760-09-13T00:00:00.000Z", "2025-12-06T05:29:30.500000Z"),
    ],
)
def test_a_time_that_is_impossible_is_corrected_or_that_of_receipt(
    claimed: object, sent: object, expected: str, fast: bool
) -> None:
    event = {"eventId": str(uuid.uuid4()), "eventName": "x", "eventTimestamp": claimed}
    for body in ({"events": [event | {"sentAt": sent}]}, {"events": [event], "sentAt": sent}):
        content = json.dumps(body | {"_ingest": INGEST}).encode()
        [(_, line)] = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
        assert Row.of_line(line).event_timestamp == expected


@pytest.mark.parametrize("fast", [True, False])
@pytest.mark.parametrize(
    ("envelope", "source"),
    [
        ({"_ingest": INGEST}, "received"),
        ({"_ingest": INGEST | {"identity": {"verified": True, "userId": "u"}}}, "client"),
        ({}, "client"),
    ],
    ids=["anybody", "with a verified identity", "put into the bucket by its owner"],
)
def test_history_is_not_for_strangers(envelope: dict[str, Any], source: str, fast: bool) -> None:
    """An event of eight days ago counts as one of now, unless its sender is known."""
    event = {"eventId": str(uuid.uuid4()), "eventName": "x", "eventTimestamp": "2025-11-28T05:29:30Z"}
    content = json.dumps({"events": [event], **envelope}).encode()
    [(_, line)] = read_object(content, KEY, LISTED, ClockRules(), LIMIT, fast).lines
    assert Row.of_line(line).event_timestamp_source == source
