"""The event contract: fields, validation, identity, time, text."""

from __future__ import annotations

import gzip
import json
import random
import tracemalloc
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.fields import CLIENT_ID, PRODUCT_BRAND, SESSION_ID, USER_ID, Field, field_value
from contract.gzipped import BrokenGzip, TooLarge, gunzip
from contract.identity import client_event_id, made_event_id
from contract.jsontext import NotJson, canonical_json, parse_json
from contract.names import ALIASES, NAMES, canonical_name
from contract.orders import discount_price, quantity, read_order
from contract.text import NO_WIDTH, clean_text, storable_json, storable_text
from contract.timestamps import EPOCH, ClockRules, TimeSource, clock_time, event_time, parse_time, utc_text
from contract.validation import Limits, event_problem, order_problem

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
NOON = datetime(2025, 12, 6, 12, tzinfo=UTC)
RULES = ClockRules()
TICK = timedelta(microseconds=1)
GOOD = {"eventName": "page_view", "eventTimestamp": "2025-12-06T11:59:59Z", "clientId": "c"}


# --- JSON --------------------------------------------------------------------------------------------


@given(JSON)
def test_canonical_json_is_json_of_the_same_value(value: object) -> None:
    text = canonical_json(value)
    assert parse_json(text.decode("utf-8")) == value
    assert canonical_json(parse_json(text.decode("utf-8"))) == text


def test_canonical_json_does_not_depend_on_the_order_of_names() -> None:
    assert (
        canonical_json({"a": 1, "b": "é"}) == canonical_json({"b": "é", "a": 1}) == b'{"a":1,"b":"\xc3\xa9"}'
    )


def test_a_lone_surrogate_survives_as_an_escape() -> None:
    assert canonical_json({"a": "\ud83d"}) == b'{"a":"\\ud83d"}'


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{", "Expecting property name"),
        ("", "Expecting value"),
        ("NaN", "NaN is not JSON"),
        ('{"a": -Infinity}', "-Infinity is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ("9" * 5_000, "too many digits"),
        ("1 2", "Extra data"),
    ],
)
def test_what_is_not_json_is_refused_with_a_reason(text: str, reason: str) -> None:
    with pytest.raises(NotJson, match=reason):
        parse_json(text)


def test_infinity_cannot_be_written() -> None:
    with pytest.raises(NotJson, match="out of range"):
        canonical_json(parse_json("1e999"))


# --- names -------------------------------------------------------------------------------------------


def test_an_alias_is_resolved_to_an_event_name() -> None:
    assert ALIASES == {
        "add_to_cart": "add_to_cart_click",
        "purchase": "checkout_complete",
        "view_product": "product_view",
    }
    assert set(ALIASES.values()) <= NAMES
    assert not set(ALIASES) & NAMES
    assert [canonical_name(name) for name in ("purchase", "page_view", "other_event")] == [
        "checkout_complete",
        "page_view",
        "other_event",
    ]


# --- validation --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"eventTimestamp": None},
        {"eventId": "not a uuid"},
        {"userId": 12},
        {"userLoginState": "guest"},
        {"isFirstVisit": False},
        {"product": {"id": 7, "price": 15990000, "discountPrice": "14990000.50"}},
        {"product": {"price": 10**13 - 1, "discountPrice": 9_999_999_999_999.998}},
        {"product": {"price": "9999999999999.99", "discountPrice": "9999999999999.99999999999999999999"}},
        {"product": {"discount_price": 0, "url_path": "/p"}},
        {"product": {"price": " 899.00\n"}, "userLoginState": " guest", "isFirstVisit": " ", "sentAt": " "},
        {"context_product": {"product_id": 7, "brandName": "Acme"}},
        # accepted before older trackers' names were read, and orders
        {"context_product": "laptop", "product": {"brandName": 5, "quantity": "many"}, "order": "17"},
        {"element": {"dataset": {"any": ["thing", {"goes": 1}]}}},
        {"somethingNew": [1, 2, {"x": None}]},
        {"pageUrl": "\x00 \ud800"},
        {"eventTimestamp": "9999-12-31T23:59:59-14:00"},
        {"eventTimestamp": "+010013-12-10T05:00:00.000Z"},
        {"eventTimestamp": "2016-12-31T23:59:60Z"},
        {"eventTimestamp": 1733461200000, "sentAt": "1733461200000"},
    ],
)
def test_valid_events(change: dict[str, object]) -> None:
    assert event_problem(GOOD | change) is None


def test_field_names_may_be_in_snake_case() -> None:
    assert event_problem({"event_name": "x", "event_timestamp": "2025-12-06", "user_id": "u"}) is None


@pytest.mark.parametrize(
    ("event", "code"),
    [
        (None, "not_an_object"),
        ("text", "not_an_object"),
        ([GOOD], "not_an_object"),
        ({}, "no_event_name"),
        ({"eventName": None}, "no_event_name"),
        ({"eventName": "  "}, "no_event_name"),
        ({"eventName": "\u200b"}, "no_event_name"),
        ({"eventName": 5}, "invalid_event_name"),
        ({"eventName": "x" * 201}, "invalid_event_name"),
        (GOOD | {"eventTimestamp": "yesterday"}, "invalid_event_timestamp"),
        (GOOD | {"eventTimestamp": True}, "invalid_event_timestamp"),
        (GOOD | {"eventTimestamp": 1.8e18}, "invalid_event_timestamp"),
        (GOOD | {"sentAt": "now"}, "invalid_sent_at"),
        (GOOD | {"userLoginState": "root"}, "invalid_user_login_state"),
        (GOOD | {"isFirstVisit": "yes"}, "invalid_is_first_visit"),
        (GOOD | {"userId": True}, "invalid_user_id"),
        (GOOD | {"clientId": 1.5}, "invalid_client_id"),
        (GOOD | {"product": "laptop"}, "invalid_product"),
        (GOOD | {"product": {"price": -1}}, "invalid_product_price"),
        (GOOD | {"product": {"price": 10**13}}, "invalid_product_price"),
        (GOOD | {"product": {"price": 1e13}}, "invalid_product_price"),
        (GOOD | {"product": {"price": "10000000000000"}}, "invalid_product_price"),
        (GOOD | {"product": {"price": 1e300}}, "invalid_product_price"),
        (GOOD | {"product": {"price": True}}, "invalid_product_price"),
        (GOOD | {"product": {"discount_price": "-3"}}, "invalid_product_discount_price"),
        (GOOD | {"element": []}, "invalid_element"),
        (GOOD | {"x": float("inf")}, "number_out_of_range"),
        (GOOD | {"x": "y" * 16_385}, "string_too_long"),
        (GOOD | {"y" * 16_385: 1}, "string_too_long"),
    ],
)
def test_invalid_events_have_a_code_and_a_reason(event: object, code: str) -> None:
    problem = event_problem(event)
    assert problem is not None and problem.code == code and problem.reason


def test_depth_is_counted_from_the_event() -> None:
    limits = Limits(depth=2)
    assert event_problem(GOOD | {"a": [1]}, limits) is None
    assert event_problem(GOOD | {"a": {"b": 1}}, limits) is None
    problem = event_problem(GOOD | {"a": {"b": [1]}}, limits)
    assert problem is not None and problem.code == "too_deep"


@given(JSON | st.dictionaries(st.sampled_from(["eventName", "product", "sentAt", "userId"]), JSON))
def test_validation_ends_for_any_value(value: object) -> None:
    event_problem(value)


ORDER: dict[str, Any] = {
    "id": "A-17",
    "total": 1747.5,
    "currency": "vnd",
    "items": [
        {"id": 7, "name": "Laptop 14", "category": "laptops", "brand": "Acme", "price": "899.00",
         "discountPrice": 849, "quantity": 2},
        {"id": "m-1", "discount_price": 0, "price": 49.5},
    ],
}  # fmt: skip


def test_what_was_bought_is_read_and_normalised() -> None:
    assert [quantity({"quantity": sent}) for sent in ("3", 2.0, 0, None)] == [3, 2, None, None]
    assert read_order(GOOD | {"order": ORDER}) == {
        "id": "A-17",
        "total": Decimal("1747.5"),
        "currency": "VND",
        "items": [
            {
                "id": "7",
                "name": "Laptop 14",
                "category": "laptops",
                "brand": "Acme",
                "price": Decimal("899.00"),
                "discount_price": Decimal(849),
                "quantity": 2,
            },
            dict.fromkeys(["name", "category", "brand", "discount_price", "quantity"])
            | {"id": "m-1", "price": Decimal("49.5")},
        ],
    }


@pytest.mark.parametrize(
    "nothing", [{}, {"order": {}}, {"order": {"id": "undefined", "items": [{}]}}, {"order": None}]
)
def test_an_event_that_says_nothing_of_an_order_has_none(nothing: dict[str, object]) -> None:
    assert order_problem(GOOD | nothing) is None
    assert read_order(GOOD | nothing) is None


@pytest.mark.parametrize(
    ("bought", "code"),
    [
        ({"order": "A-17"}, "invalid_order"),
        ({"order": {"id": 1.5}}, "invalid_order_id"),
        ({"order": {"total": -1}}, "invalid_order_total"),
        ({"order": {"total": "1.299,00"}}, "invalid_order_total"),
        ({"order": {"currency": "dong"}}, "invalid_order_currency"),
        ({"order": {"items": {}}}, "invalid_order_items"),
        ({"order": {"items": [7]}}, "invalid_order_items"),
        ({"order": {"items": [{}, {"quantity": 1.5}]}}, "invalid_order_items_quantity"),
        ({"order": {"items": [{"price": True}]}}, "invalid_order_items_price"),
        ({"product": {"quantity": -1}}, "invalid_product_quantity"),
        ({"product": {"quantity": 10**7}}, "invalid_product_quantity"),
        ({"product": {"quantity": True}}, "invalid_product_quantity"),
        ({"product": {"quantity": float("inf")}}, "invalid_product_quantity"),
    ],
)
def test_what_was_bought_is_refused_by_the_collector_and_absent_for_the_loader(
    bought: dict[str, object], code: str
) -> None:
    problem = order_problem(GOOD | bought)
    assert problem is not None and problem.code == code and problem.reason
    assert event_problem(GOOD | bought, Limits()) is None or "inf" in repr(bought)
    assert read_order(GOOD | bought) is None
    product = bought.get("product", {})
    assert isinstance(product, dict) and quantity(product) is None


@pytest.mark.parametrize(
    ("price", "discounted", "expected"),
    [
        (9290000, 0, None),
        (9290000, "0.00", None),
        (899, 899.0, None),
        (899, "899.01", None),
        (899, 849, Decimal(849)),
        ("899.00", 898.99, Decimal("898.99")),
        (None, 849, Decimal(849)),
        (899, None, None),
        # a percentage: data quality shows it
        (9290000, 10, Decimal(10)),
    ],
)
def test_a_discount_is_a_price_below_the_price(price: Any, discounted: Any, expected: Decimal | None) -> None:
    prices = [None if value is None else Decimal(str(value)) for value in (price, discounted)]
    assert discount_price(*prices) == expected


# --- identity ----------------------------------------------------------------------------------------


def test_a_clients_uuid_is_kept_in_lower_case() -> None:
    client = str(uuid.uuid4())
    assert client_event_id({"eventId": client.upper()}) == client
    assert client_event_id({"event_id": client}) == client
    assert client_event_id({"eventId": "junk", "event_id": f" {client}\n"}) == client


@pytest.mark.parametrize(
    "value",
    [
        None,
        "",
        "x",
        5,
        "0" * 32,
        "{" + str(uuid.uuid4()) + "}",
        str(uuid.UUID(int=0)),
        str(uuid.UUID(int=2**128 - 1)),
    ],
)
def test_a_text_that_is_no_uuid_or_stands_for_none_is_no_event_id(value: object) -> None:
    assert client_event_id({"eventId": value}) is None


def made(event: dict[str, object], position: int = 0, request: str = "r") -> str:
    return made_event_id(event, canonical_json(event), position, request)


def test_a_generated_id_is_a_uuid5_and_the_same_for_a_repeated_request() -> None:
    event: dict[str, object] = dict(GOOD, sessionId="s")
    assert uuid.UUID(made(event)).version == 5
    assert made(event) == made(dict(reversed(event.items())), request="another")
    others = {
        made(event, 1),
        made(event | {"clientId": "d"}),
        made(event | {"sessionId": "t"}),
        made(event | {"x": 1}),
    }
    assert len(others | {made(event)}) == 5


def test_the_generated_id_of_an_event_without_timestamp_depends_on_the_request() -> None:
    event: dict[str, object] = {"eventName": "x"}
    assert made(event, request="1") != made(event, request="2")
    assert made(event, request="1") == made(event, request="1")


def test_an_id_that_is_no_uuid_is_the_senders_whatever_its_place_and_request() -> None:
    event: dict[str, object] = {"eventId": "17", "eventName": "x", "clientId": "c", "sessionId": "s"}
    one = made(event)
    again = {"eventName": "x", "event_id": 17, "client_id": "c", "session_id": "s", "retried": True}
    assert uuid.UUID(one).version == 5
    assert made(event, 3, "another") == made(again, 5) == one
    changes: list[dict[str, object]] = [{"eventId": "18"}, {"clientId": "d"}, {"sessionId": "t"}]
    assert len({one, *(made(event | change) for change in changes)}) == 4


def test_an_id_without_a_sender_is_one_events_only_with_the_same_content() -> None:
    """Counters of two browsers that say nothing of themselves are not one event."""
    event: dict[str, object] = {"eventId": "17", "eventName": "x"}
    assert made(event, 3, "another") == made(event)
    assert made(event | {"pageUrl": "/p"}) != made(event)


@pytest.mark.parametrize(
    "none", [None, "", True, 1.5, [], str(uuid.UUID(int=0)), str(uuid.UUID(int=2**128 - 1))]
)
def test_what_is_no_id_leaves_place_and_content(none: object) -> None:
    event: dict[str, object] = {
        "eventId": none,
        "eventName": "x",
        "eventTimestamp": "2025-12-06",
        "clientId": "c",
    }
    assert made(event, 0) != made(event, 1)
    assert made(event | {"x": 1}) != made(event)


# --- time --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2025-12-06T12:00:00Z", NOON),
        ("2025-12-06T12:00:00.000Z", NOON),
        ("2025-12-06T19:00:00+07:00", NOON),
        ("2025-12-06T12:00:00", NOON),
        (" 2025-12-06 12:00:00 ", NOON),
        (1765022400000, NOON),
        (1765022400000.25, NOON + TICK * 250),
        ("1765022400000", NOON),
        ("1765022400000.25", NOON + TICK * 250),
        ("20251206T120000Z", NOON),
        ("2025-12-06T11:59:60Z", NOON),
        ("2025-12-06t11:59:60.5z", NOON + timedelta(seconds=0.5)),
        ("2025-12-06T18:59:60+07:00", NOON),
        ("2025-12-05T24:00:00-12:00", NOON),
        ("+002025-12-06T12:00:00.000Z", NOON),
        ("2025-12-06T12:00:61Z", None),
        ("2025-12-06T24:00:01Z", None),
        ("2025-02-29T23:59:60Z", None),
        ("+010013-12-10T05:00:00.000Z", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("2025-13-01T00:00:00Z", None),
        ("2025-12-06T12:00:00Z" + " " * 40, None),
        (True, None),
        (float("inf"), None),
        (8.7e15, None),
        ([], None),
        ("", None),
    ],
)
def test_an_iso_8601_text_and_milliseconds_are_a_time_in_utc(text: object, expected: datetime | None) -> None:
    assert parse_time(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # JavaScript's toISOString and getTime
        ("+010013-12-10T05:00:00.000Z", 253842267600000),
        ("-000001-06-01T00:00:00.000Z", -62185708800000),
        ("0000-01-01T00:00:00.000Z", -62167219200000),
        ("+275760-09-13T00:00:00.000Z", 8640000000000000),
        ("-271821-04-20T00:00:00.000Z", -8640000000000000),
        ("0001-01-01T00:00:00+14:00", -62135647200000),
        ("9999-12-31T23:59:59-14:00", 253402351199000),
    ],
)
def test_a_time_that_no_date_can_be_is_a_time(text: str, expected: int) -> None:
    assert clock_time(text) == timedelta(milliseconds=expected)
    assert parse_time(text) is None


@given(st.text())
def test_any_text_is_a_time_or_none(text: str) -> None:
    moment = parse_time(text)
    assert moment is None or parse_time(utc_text(moment)) == moment


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


@pytest.mark.parametrize(
    ("claimed", "sent", "expected", "source"),
    [
        (None, None, NOON, TimeSource.RECEIVED),
        (NOON - minutes(5), None, NOON - minutes(5), TimeSource.CLIENT),
        # sent and received agree: the client's own time stands
        (NOON - minutes(5), NOON - minutes(0.5), NOON - minutes(5), TimeSource.CLIENT),
        # a clock an hour ahead, an hour behind, years behind
        (NOON + minutes(55), NOON + minutes(60), NOON - minutes(5), TimeSource.CORRECTED),
        (NOON - minutes(65), NOON - minutes(60), NOON - minutes(5), TimeSource.CORRECTED),
        (
            datetime(1970, 1, 1, tzinfo=UTC),
            datetime(1970, 1, 1, 0, 5, tzinfo=UTC),
            NOON - minutes(5),
            TimeSource.CORRECTED,
        ),
        # days late with a right clock: the time of the event, not of its arrival
        (NOON - timedelta(days=3), NOON, NOON - timedelta(days=3), TimeSource.CLIENT),
        # slightly ahead is forgiven, the future and the distant past are not
        (NOON + minutes(0.5), None, NOON + minutes(0.5), TimeSource.CLIENT),
        (NOON + minutes(5), None, NOON, TimeSource.RECEIVED),
        (datetime(1970, 1, 1, tzinfo=UTC), None, NOON, TimeSource.RECEIVED),
        (NOON + minutes(90), NOON + minutes(60), NOON, TimeSource.RECEIVED),
        # exactly 60 seconds between sending and receipt is within the tolerance, a microsecond more is not
        (NOON - minutes(5), NOON - minutes(1), NOON - minutes(5), TimeSource.CLIENT),
        (NOON - minutes(5), NOON + minutes(1), NOON - minutes(5), TimeSource.CLIENT),
        (NOON - minutes(5), NOON - minutes(1) - TICK, NOON - minutes(4) + TICK, TimeSource.CORRECTED),
        (NOON - minutes(5), NOON + minutes(1) + TICK, NOON - minutes(6) - TICK, TimeSource.CORRECTED),
        # exactly 60 seconds after the receipt is within the tolerance, a microsecond more is not
        (NOON + minutes(1), None, NOON + minutes(1), TimeSource.CLIENT),
        (NOON + minutes(1) + TICK, None, NOON, TimeSource.RECEIVED),
        # exactly 400 days before the receipt is not too old, a microsecond more is
        (NOON - timedelta(days=400), None, NOON - timedelta(days=400), TimeSource.CLIENT),
        (NOON - timedelta(days=400) - TICK, None, NOON, TimeSource.RECEIVED),
        # a corrected time has the same two limits
        (NOON + minutes(61), NOON + minutes(60), NOON + minutes(1), TimeSource.CORRECTED),
        (NOON + minutes(61) + TICK, NOON + minutes(60), NOON, TimeSource.RECEIVED),
        (
            NOON - timedelta(days=401),
            NOON - timedelta(days=1),
            NOON - timedelta(days=400),
            TimeSource.CORRECTED,
        ),
        (NOON - timedelta(days=401) - TICK, NOON - timedelta(days=1), NOON, TimeSource.RECEIVED),
        # beyond what a date can be
        (datetime(9999, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC), NOON, TimeSource.RECEIVED),
    ],
)
def test_the_time_of_an_event_with_clock_skew(
    claimed: datetime | None, sent: datetime | None, expected: datetime, source: TimeSource
) -> None:
    assert event_time(claimed, sent, NOON, RULES) == (expected, source)
    since = [None if time is None else time - EPOCH for time in (claimed, sent)]
    assert event_time(since[0], since[1], NOON - EPOCH, RULES) == (expected - EPOCH, source)


@given(st.datetimes(timezones=st.just(UTC)), st.none() | st.datetimes(timezones=st.just(UTC)))
def test_no_event_is_in_the_future_or_ancient(claimed: datetime, sent: datetime | None) -> None:
    moment, _ = event_time(claimed, sent, NOON, RULES)
    assert NOON - RULES.max_age <= moment <= NOON + RULES.skew_tolerance


# --- a field's value ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        ("  Máy tính \r\n", "Máy tính"),
        ("\u00a0\u200b\ufeffx y\u2060\u3000\t", "x y"),
        ("Ba\u0300n phi\u0301m co\u031b", "Bàn phím cơ"),
        ("Bàn phím cơ", "Bàn phím cơ"),
        ("iPhone", "iPhone"),
        (" \n\u200b", None),
        ("", None),
        (None, None),
        ("a\0b\ud800", "a\ufffdb\ufffd"),
        ("undefined", "undefined"),
        (0, 0),
    ],
)
def test_a_text_has_one_spelling(sent: object, value: object) -> None:
    assert field_value({"brand": sent}, PRODUCT_BRAND) == value
    assert field_value({"brand": sent, "brandName": "Acme"}, PRODUCT_BRAND) == (
        "Acme" if value is None else value
    )


def test_white_space_is_what_unicode_says_and_what_has_no_width() -> None:
    spaces = "".join(filter(str.isspace, map(chr, range(0x110000))))
    assert clean_text(f"{spaces}{NO_WIDTH}a{NO_WIDTH}{spaces}") == "a"


@given(st.text(st.characters(categories=None), max_size=20))
def test_a_clean_text_stays_as_it_is(text: str) -> None:
    cleaned = clean_text(text)
    assert clean_text(cleaned) == cleaned == storable_text(cleaned)


@pytest.mark.parametrize("field", [USER_ID, CLIENT_ID, SESSION_ID])
@pytest.mark.parametrize(
    "none",
    [
        "undefined",
        "NULL",
        "NaN",
        "[object Object]",
        "0",
        0,
        "-",
        " None\n",
        "00000000-0000-0000-0000-000000000000",
    ],
)
def test_an_id_that_is_none_is_absent(field: Field, none: object) -> None:
    assert field_value({field.camel: none}, field) is None
    assert field_value({field.camel: none, field.snake: "x"}, field) == "x"
    for fine in ("00", 1, "none of them", "nan-1"):
        assert field_value({field.camel: fine}, field) == fine


# --- text and gzip -----------------------------------------------------------------------------------


@given(st.text(st.characters(categories=None), max_size=20))
def test_storable_text_is_utf8_without_nul(text: str) -> None:
    stored = storable_text(text)
    assert "\0" not in stored.encode("utf-8").decode("utf-8")
    assert len(stored) == len(text)


def test_storable_json_replaces_in_every_text() -> None:
    assert storable_json({"e\u0301": [" e\u0301"]}) == {"é": [" é"]}
    value = {"a\0": ["\ud800", {"b": "\0"}], "c": 1}
    assert storable_json(value) == {"a\ufffd": ["\ufffd", {"b": "\ufffd"}], "c": 1}


def test_gunzip_unpacks_members_and_padding() -> None:
    data = gzip.compress(b"one") + gzip.compress(b"two") + b"\0" * 8
    assert gunzip(data, 6) == b"onetwo"


def test_gunzip_unpacks_members_that_end_anywhere_in_a_slice() -> None:
    """Slices end within members, between members, and in the padding."""
    parts = [bytes([number % 251]) * (number * 37 % 5000) for number in range(60)]
    noise = [random.Random(number).randbytes(number * 311 % 9000) for number in range(60)]  # noqa: S311
    packed = b"".join(
        gzip.compress(part) + b"\0" * (number * 113 % 4500) for number, part in enumerate([*parts, *noise])
    )
    whole = b"".join([*parts, *noise])
    assert gunzip(packed, len(whole)) == whole
    with pytest.raises(TooLarge):
        gunzip(packed, len(whole) - 1)


def test_gunzip_refuses_bombs_and_damage() -> None:
    bomb = gzip.compress(b"\0" * 10_000_000)
    with pytest.raises(TooLarge):
        gunzip(bomb, 1_000_000)
    with pytest.raises(BrokenGzip, match="cut short"):
        gunzip(bomb[:-5], 20_000_000)
    with pytest.raises(BrokenGzip):
        gunzip(b"\x1f\x8bnonsense", 100)


def test_gunzip_stops_unpacking_a_bomb_at_the_limit() -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    tracemalloc.start()
    with pytest.raises(TooLarge):
        gunzip(bomb, 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 5_000_000


@given(st.binary(max_size=200))
def test_gunzip_gives_back_what_was_packed(data: bytes) -> None:
    assert gunzip(gzip.compress(data), len(data)) == data


def test_the_file_of_event_names_holds_names_and_aliases() -> None:
    from pathlib import Path

    import contract

    table = json.loads((Path(contract.__file__).parent / "event_names.json").read_text())
    assert set(table) == {"names", "aliases"}
    assert len(table["names"]) == len(set(table["names"])) == 15
