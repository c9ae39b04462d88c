"""The made-up shop: the same for the same seed, in proportion, and both outputs the same events."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from contract.names import NAMES
from contract.timestamps import ClockRules
from contract.validation import event_problem
from etl.records import read_object
from etl.row import Row
from tests.bench.shop import ZONE, Shop

END = date(2026, 5, 31)
FUNNEL = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")
HALF_HOUR = timedelta(minutes=30)


def lines(shop: Shop, days: range | None = None) -> list[str]:
    return "".join(shop.rows(days)).splitlines(keepends=True)


def parsed(texts: Iterable[str]) -> list[Row]:
    return [Row.of_line(line) for line in texts]


@pytest.fixture(scope="module")
def shop() -> Shop:
    return Shop(sessions=10_000, seed=1, end=END)


@pytest.fixture(scope="module")
def rows(shop: Shop) -> list[Row]:
    return parsed(lines(shop))


@pytest.fixture(scope="module")
def sessions(rows: list[Row]) -> list[list[Row]]:
    """Sessions in the order of their starts, each in the order of its events."""
    by_id = defaultdict(list)
    for row in rows:
        by_id[row.session_id].append(row)
    for session in by_id.values():
        session.sort(key=lambda row: row.event_timestamp)
    return sorted(by_id.values(), key=lambda session: session[0].event_timestamp)


@pytest.fixture(scope="module")
def people(sessions: list[list[Row]]) -> list[list[Row]]:
    return [session for session in sessions if session[0].is_bot == "f"]


@pytest.fixture(scope="module")
def small() -> Shop:
    return Shop(sessions=700, seed=5, end=END, days=40)


# --- One model ------------------------------------------------------------------------------------------


def test_the_same_seed_makes_the_same_and_another_seed_something_else(small: Shop) -> None:
    again = Shop(sessions=700, seed=5, end=END, days=40)
    assert lines(again) == lines(small)
    assert list(again.raw_objects()) == list(small.raw_objects())
    other = Shop(sessions=700, seed=6, end=END, days=40)
    assert not set(lines(other)) & set(lines(small))


def test_the_rows_are_those_that_the_loader_makes_of_the_raw_objects() -> None:
    shop = Shop(sessions=2_500, seed=2, end=END)
    loaded = []
    for key, content in shop.raw_objects():
        records = read_object(content, key, datetime.now(UTC), ClockRules(), 10**9)
        assert not records.rejected
        loaded += [line for _, line in records.lines]
    assert lines(shop) == loaded
    made = parsed(loaded)
    assert {row.event_timestamp_source for row in made} == {"client", "corrected"}
    assert {(row.user_login_state, row.identity_verified) for row in made} == {
        ("anonymous", "f"),
        ("guest", "f"),
        ("logged_in", "f"),
        ("logged_in", "t"),
    }


def test_every_event_is_one_by_the_contract(small: Shop) -> None:
    names = set()
    for request in small.requests():
        for event in json.loads(json.dumps(request.body["events"])):
            assert event_problem(event) is None
            names.add(event["eventName"])
        assert 1 <= len(request.body["events"]) <= 20
    assert names <= NAMES


def test_all_event_names_occur(rows: list[Row]) -> None:
    assert {row.event_name for row in rows} == NAMES


def test_pieces_make_the_same_rows(small: Shop) -> None:
    whole = lines(small)
    for count in (1, 2, 5):
        pieces = small.pieces(count)
        assert len(pieces) == count
        assert [day for piece in pieces for day in piece] == list(range(40))
        parts = [lines(small, piece) for piece in pieces]
        assert sorted(line for part in parts for line in part) == sorted(whole)
        assert min(map(len, parts)) > 0.6 * len(whole) / count
        for part in [*parts, whole]:
            received = [row.received_at for row in parsed(part)]
            assert received == sorted(received)


def test_an_id_is_there_once_and_of_the_fourth_version(rows: list[Row]) -> None:
    assert len({row.event_id for row in rows}) == len(rows)
    assert {row.event_id[14] for row in rows} == {"4"}
    assert {row.event_id[19] for row in rows} <= set("89ab")


def test_loaded_at_is_one_more_column(small: Shop) -> None:
    with_time = "".join(small.rows(loaded_at=True)).splitlines()
    assert [line.rpartition("\t")[0] + "\n" for line in with_time] == lines(small)
    for line, row in zip(with_time, parsed(lines(small)), strict=True):
        lag = moment(line.rpartition("\t")[2]) - moment(row.received_at)
        assert timedelta(0) < lag <= timedelta(hours=1, seconds=90)


# --- Proportions ----------------------------------------------------------------------------------------


def share(part: Iterable[object], whole: Iterable[object]) -> float:
    return len(list(part)) / len(list(whole))


def test_a_session_has_as_many_events_as_in_the_benchmark(shop: Shop, rows: list[Row]) -> None:
    """12.1 M page views and 2.7 M other events in 1.2 M sessions of some 500,000 visitors."""
    assert len({row.session_id for row in rows}) == pytest.approx(10_000, rel=0.002)
    names = Counter(row.event_name for row in rows)
    assert names["page_view"] == pytest.approx(10_000 * 12.1 / 1.2, rel=0.05)
    assert len(rows) - names["page_view"] == pytest.approx(10_000 * 2.7 / 1.2, rel=0.05)
    assert len({row.client_id for row in rows}) == pytest.approx(10_000 / 2.4, rel=0.06)


def test_people_drop_out_on_the_way_to_the_purchase(people: list[list[Row]]) -> None:
    reached = [sum(any(row.event_name == step for row in session) for session in people) for step in FUNNEL]
    viewed, carted, started, completed = (count / len(people) for count in reached)
    assert 0.40 < viewed < 0.55
    assert 0.15 < carted / viewed < 0.25
    assert 0.35 < started / carted < 0.60
    assert 0.45 < completed / started < 0.70
    assert 0.015 < completed < 0.035
    bounced = share((s for s in people if sum(row.event_name == "page_view" for row in s) == 1), people)
    assert 0.33 < bounced < 0.45


def test_most_checkouts_have_their_cart_before_them(people: list[list[Row]]) -> None:
    complete = [[row.event_name for row in s] for s in people if s[-1].event_name != "page_view"]
    complete = [names for names in complete if "checkout_complete" in names]
    for names in complete:
        assert names.index("checkout_start") < names.index("checkout_complete")
    in_order = [n for n in complete if "add_to_cart_click" in n[: n.index("checkout_start")]]
    # The others come back to the cart of an earlier visit.
    assert 0.75 < share(in_order, complete) < 0.98


def test_some_are_bots(sessions: list[list[Row]], rows: list[Row]) -> None:
    assert 0.02 < share((s for s in sessions if s[0].is_bot == "t"), sessions) < 0.04
    assert 0.04 < share((row for row in rows if row.is_bot == "t"), rows) < 0.11
    assert all(row.user_login_state == "anonymous" for row in rows if row.is_bot == "t")


def test_some_log_in_in_the_middle_of_a_session(people: list[list[Row]]) -> None:
    states = [list(dict.fromkeys(row.user_login_state for row in session)) for session in people]
    assert 0.02 < share((s for s in states if s == ["anonymous", "logged_in"]), states) < 0.10
    assert 0.05 < share((s for s in states if s[0] == "logged_in"), states) < 0.25
    assert 0.01 < share((s for s in states if s[-1] == "guest"), states) < 0.06
    for session in people:
        # Of all events there is a user only where somebody is logged in, and one for each client.
        assert {row.user_login_state == "logged_in" for row in session if row.user_id} <= {True}
        assert len({row.user_id for row in session} - {None}) <= 1


def test_a_few_visitors_come_often(sessions: list[list[Row]]) -> None:
    visits = sorted(Counter(session[0].client_id for session in sessions).values(), reverse=True)
    assert 0.25 < share((count for count in visits if count > 1), visits) < 0.40
    assert 0.10 < sum(visits[: len(visits) // 100]) / len(sessions) < 0.30
    first = [session for session in sessions if session[0].is_first_visit == "t"]
    assert 0.30 < share(first, sessions) < 0.45
    assert max(Counter(session[0].client_id for session in first).values()) == 1


def test_the_season_the_hour_and_sale_days_show(people: list[list[Row]]) -> None:
    starts = [moment(session[0].event_timestamp).astimezone(ZONE) for session in people]
    days = Counter(start.date() for start in starts)
    assert 330 < len(days) <= 365
    usual = sorted(days.values())[len(days) // 2]
    assert days[date(2025, 11, 11)] > 2 * usual
    assert days[date(2025, 12, 12)] > 1.7 * usual
    assert days[date(2026, 2, 17)] < 0.8 * usual  # Tết
    hours = Counter(start.hour for start in starts)
    assert hours[20] + hours[21] > 8 * (hours[2] + hours[3])
    growth = sum(days[END - timedelta(days=d)] for d in range(90)) / sum(
        days[END - timedelta(days=364 - d)] for d in range(90)
    )
    assert 1.3 < growth < 2.1


def test_prices_change_and_a_few_products_are_popular(rows: list[Row]) -> None:
    viewed = [row for row in rows if row.event_name == "product_view"]
    views = Counter(row.context_product_id for row in viewed)
    assert 300 < len(views) <= 500
    assert len({row.context_product_category for row in viewed}) == 6
    assert len({row.context_product_brand for row in viewed}) == 12
    assert 0.3 < sum(count for _, count in views.most_common(50)) / len(viewed) < 0.7
    prices = defaultdict(set)
    for row in viewed:
        price, discount = row.context_product_price, row.context_product_discount_price
        assert price is not None
        assert discount is None or 0 < int(discount) < int(price) < 300_000_000
        prices[row.context_product_id].add((price, discount))
    often = [product for product, count in views.items() if count > 40]
    assert often and all(len(prices[product]) >= 3 for product in often)


def test_some_visitors_have_a_tracker_that_sends_no_page_view_with_a_specific_one(
    people: list[list[Row]],
) -> None:
    other = {row.client_id for session in people for row in session if _is_poor_cart(row)}
    sessions = [session for session in people if session[0].client_id in other]
    assert 0.01 < share(sessions, people) < 0.2
    for session in sessions:
        for before, after in pairwise(session):
            assert (before.event_name, after.event_name) != ("page_view", "product_view") or (
                before.page_url != after.page_url
            )
    # Several tabs: an event of a page that was left for another, and not opened again.
    urls = [[row.page_url for row in session if row.event_name != "page_view"] for session in sessions]
    assert any(
        a == c != b for session in urls for a, b, c in zip(session, session[1:], session[2:], strict=False)
    )


def test_orders_have_items_and_come_again_and_name_a_cart_of_the_visit_before(
    people: list[list[Row]],
) -> None:
    ordered = [row for session in people for row in session if row.order_id]
    copies = Counter(row.order_id for row in ordered)
    assert 0.03 < share((number for number in copies.values() if number == 2), copies) < 0.4
    details = {row.order_id: json.loads(row.order_details or "") for row in ordered}
    assert any(len(order.get("items", [])) > 1 for order in details.values())
    assert {order["currency"] for order in details.values()} == {"VND"}
    carts = {(row.client_id, row.session_id) for s in people for row in s if _is_poor_cart(row)}
    without = [row for row in ordered if "items" not in details[row.order_id]]
    assert without
    for row in without:
        sessions = {session for client, session in carts if client == row.client_id}
        assert sessions - {row.session_id}  # what was bought is known from an earlier session


def test_no_discount_is_sent_as_zero_by_some(small: Shop) -> None:
    products = [
        event["product"]
        for request in small.requests()
        for event in request.body["events"]
        if "price" in event.get("product", {})
    ]
    assert 0.02 < share((one for one in products if one.get("discountPrice") == 0), products) < 0.2


def _is_poor_cart(row: Row) -> bool:
    return row.event_name == "add_to_cart_click" and row.context_product_price is None


# --- Time -----------------------------------------------------------------------------------------------


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_no_half_hour_without_an_event_within_a_session_and_one_between_two(
    sessions: list[list[Row]],
) -> None:
    last: dict[str | None, datetime] = {}
    pauses, absences = [], []
    for session in sessions:
        times = [moment(row.event_timestamp) for row in session]
        pauses += [after - before for before, after in pairwise(times)]
        visitor = session[0].client_id
        assert len({row.client_id for row in session}) == 1
        if visitor in last:
            absences.append(times[0] - last[visitor])
        last[visitor] = times[-1]
    assert timedelta(minutes=25) < max(pauses) < HALF_HOUR < min(absences)
    assert sum(absence < timedelta(hours=2) for absence in absences) > 80


def test_events_arrive_seconds_later_and_rarely_days_later(shop: Shop, rows: list[Row]) -> None:
    lags = [moment(row.received_at) - moment(row.event_timestamp) for row in rows]
    assert min(lags) > timedelta(0)
    assert 0.985 < share((lag for lag in lags if lag < timedelta(seconds=90)), lags) < 0.999
    late = sorted(lag for lag in lags if lag > timedelta(minutes=2))
    assert late[len(late) // 4] < timedelta(hours=1) and late[len(late) * 3 // 4] > timedelta(hours=4)
    assert timedelta(days=2) < late[-1] < timedelta(days=6)
    first = datetime.combine(END - timedelta(days=364), datetime.min.time(), ZONE)
    assert min(moment(row.event_timestamp) for row in rows) >= first
    # What arrives after the last day is not there yet.
    assert max(moment(row.received_at) for row in rows) < first + timedelta(days=365)


def test_an_object_holds_several_events_in_their_order(rows: list[Row]) -> None:
    objects = defaultdict(list)
    for row in rows:
        objects[row.source_object].append(row)
    assert 2.5 < len(rows) / len(objects) < 4
    for key, held in objects.items():
        assert [int(row.source_position) for row in held] == list(range(len(held)))
        times = [row.event_timestamp for row in held]
        assert times == sorted(times)
        assert len({(row.received_at, row.session_id) for row in held}) == 1
        assert key.startswith(f"{moment(held[0].received_at):events/%Y/%m/%d/%H}/event-")
