"""The tracker in real browsers, on another origin than the collector's: what arrives is what was done."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.support.firefox import firefox
from tests.support.postgres import ThrowawayPostgres
from tests.support.tabs import ChromiumTab, FirefoxTab, Tab, Visitor
from tests.support.tracker_site import Site

LAPTOP = {
    "id": "lap-001",
    "name": "Laptop 14",
    "category": "laptops",
    "brand": "Acme",
    "price": 899,
    "discountPrice": 849,
    "quantity": 2,
    "urlPath": "/lap-001",
}
MOUSE = {"id": 17, "name": "Bàn phím cơ", "price": "19.50"}
ORDER = {"id": "o-1", "total": 1717.5, "currency": "VND", "items": [LAPTOP, MOUSE]}

SHIFTED = """
window.shift = %d
const Real = Date
Date = class extends Real {
  constructor(...given) { given.length ? super(...given) : super(Real.now() + shift) }
  static now() { return Real.now() + shift }
}
"""
"""A clock that is wrong, or that a test moves."""


def kept(tab: Tab) -> dict[str, str]:
    """What the tracker keeps in this browser."""
    found: dict[str, str] = tab.js("({...localStorage})")
    return found


def rest(tab: Tab) -> None:
    """Wait until the page's tracker has its answers and no lock: browsers cache no page that is busy."""
    tab.js("""new Promise(done => {
      const look = async () => {
        const busy = (await navigator.locks.query()).held.length
        busy || Object.keys(localStorage).some(key => key.startsWith('clickstream.event.'))
          ? setTimeout(look, 20) : done()
      }
      look()
    })""")


def do(tab: Tab, call: str) -> None:
    tab.js(f"void clickstream.{call}")


HELPERS: list[tuple[str, str, dict[str, Any]]] = [
    ("homeView()", "home_view", {}),
    ("categoryView('laptops')", "category_view", {"product": {"category": "laptops"}}),
    (f"productView({json.dumps(LAPTOP)})", "product_view", {"product": LAPTOP}),
    ("search('14 inch', 3)", "search", {"search": {"term": "14 inch", "results": 3}}),
    (f"addToCart({json.dumps(LAPTOP)})", "add_to_cart_click", {"product": LAPTOP}),
    (f"removeFromCart({json.dumps(MOUSE)})", "remove_from_cart_click", {"product": MOUSE}),
    (f"setQuantity({json.dumps(LAPTOP)})", "cart_quantity", {"product": LAPTOP}),
    (f"clearCart({json.dumps([MOUSE])})", "cart_clear", {"order": {"items": [MOUSE]}}),
    (f"toggleWishlist({json.dumps(MOUSE)}, true)", "wishlist_toggle", {"product": MOUSE, "added": True}),
    (f"share({json.dumps(MOUSE)}, 'zalo')", "share_click", {"product": MOUSE, "channel": "zalo"}),
    ("loginOpen()", "login_open", {}),
    ("loginSuccess('u-1', 'cognito')", "login_success", {"userId": "u-1", "identitySource": "cognito"}),
    (f"checkoutStart({json.dumps(ORDER)})", "checkout_start", {"order": ORDER, "userId": "u-1"}),
    (f"checkoutComplete({json.dumps(ORDER)})", "checkout_complete", {"order": ORDER, "userId": "u-1"}),
    ("logout()", "logout", {"userId": "u-1"}),
    ("track('newsletter', {where: 'footer'})", "newsletter", {"where": "footer"}),
]


def test_every_helper(site: Site, visitor: Visitor, warehouse: ThrowawayPostgres) -> None:
    tab = visitor.tab()
    tab.go(site.page("/?size=m&token=secret&utm_source=zalo&gclid=g1"))
    site.collector.has("page_view")
    for call, _, _ in HELPERS:
        do(tab, call)
    events = site.collector.has("page_view", *(name for _, name, _ in HELPERS))
    signed_in = ["login_success", "checkout_start", "checkout_complete", "logout"]
    for (_, name, fields), event in zip(HELPERS, events[1:], strict=True):
        assert event | fields == event, name
        assert event["userLoginState"] == ("logged_in" if name in signed_in else "anonymous"), name
        assert ("userId" in event) == (name in signed_in), name
    assert len({event["clientId"] for event in events}) == len({event["sessionId"] for event in events}) == 1
    address = f"{site.origin}/?size=m&utm_source=zalo&gclid=g1"
    for event in events:
        assert event["pageUrl"] == event["landing"]["url"] == address
        assert event["isFirstVisit"] is True
        assert (event["landing"]["utm_source"], event["landing"]["gclid"]) == ("zalo", "g1")
    view = events[0]
    assert view["language"] and "x" in view["viewport"] and "x" in view["screen"] and view["timeZone"]

    rows = {row["event_id"]: row for row in site.collector.load(warehouse)}
    assert rows.keys() == {event["eventId"] for event in events}
    bot = "t" if "headless" in tab.js("navigator.userAgent").lower() else "f"
    for event in events:
        row: dict[str, Any] = rows[event["eventId"]]
        row["order_details"] = json.loads(row["order_details"] or "null")
        at = datetime.fromisoformat(row["event_timestamp"])
        assert at == datetime.fromisoformat(event["eventTimestamp"])
        received = {name: row[name] for name in RECEIPT}
        assert row == columns(event) | received | {"page_url": address, "is_bot": bot}, event["eventName"]


RECEIPT = ("event_timestamp", "received_at", "source_object", "source_position")
"""Columns that the collector's clock and store decide."""


def columns(event: dict[str, Any]) -> dict[str, Any]:
    """What the warehouse holds of an event: every column but those of the page and of its receipt."""
    product, order = event.get("product", {}), event.get("order")
    texts = {name: str(value) for name, value in product.items()}
    texts |= {name: f"{Decimal(texts[name]):.2f}" for name in ("price", "discountPrice") if name in texts}
    return {
        "event_id": event["eventId"],
        "event_name": event["eventName"],
        "user_id": event.get("userId"),
        "user_login_state": event["userLoginState"],
        "identity_source": event.get("identitySource"),
        "client_id": event["clientId"],
        "session_id": event["sessionId"],
        "is_first_visit": "t",
        "context_product_id": texts.get("id"),
        "context_product_name": texts.get("name"),
        "context_product_category": texts.get("category"),
        "context_product_brand": texts.get("brand"),
        "context_product_price": texts.get("price"),
        "context_product_discount_price": texts.get("discountPrice"),
        "context_product_url_path": texts.get("urlPath"),
        "context_product_quantity": texts.get("quantity"),
        "referrer": event.get("referrer"),
        "element": None,
        "order_id": order and order.get("id"),
        "order_details": order and DETAILS[event["eventName"]],
        "identity_verified": "f",
        "event_timestamp_source": "client",
    }


MOUSE_ITEM = {"id": "17", "name": "Bàn phím cơ", "price": "19.50"}
LAPTOP_ITEM = {
    "id": "lap-001",
    "name": "Laptop 14",
    "category": "laptops",
    "brand": "Acme",
    "price": "899.00",
    "discount_price": "849.00",
    "quantity": "2",
}
WHOLE = {"total": "1717.50", "currency": "VND", "items": [LAPTOP_ITEM, MOUSE_ITEM]}
DETAILS: dict[str, Any] = {
    "cart_clear": {"items": [MOUSE_ITEM]},
    "checkout_start": WHOLE,
    "checkout_complete": WHOLE,
}
"""An order's row: its items each, money with two places."""


def test_views_of_a_single_page_app(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    home = site.page("/")
    site.page("/b")
    tab.go(home)
    for step in (
        "history.pushState({}, '', '/a')",
        "history.pushState({}, '', '/a')",  # the same page
        "history.replaceState({}, '', '/a?sort=price')",  # the same page, sorted
        "history.pushState({}, '', '/a?page=2')",
        "location.hash = 'top'",  # a part of the same page
        "history.go(-2)",
    ):
        tab.js(f"void ({step})")
        tab.js("new Promise(done => setTimeout(done, 150))")
    tab.go(site.origin + "/b")
    site.collector.wait(lambda: len(site.collector.raw()) >= 5)
    events = site.collector.has(*["page_view"] * 5)
    seen = [(event["pageUrl"].removeprefix(site.origin), event.get("referrer", "")) for event in events]
    assert [page for page, _ in seen] == ["/", "/a", "/a?page=2", "/a?sort=price", "/b"]
    assert [came.removeprefix(site.origin) for _, came in seen[1:4]] == ["/", "/a", "/a?page=2"]


def test_views_without_the_navigation_api(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    tab.go(site.page("/", first="Object.defineProperty(window, 'navigation', {value: undefined})"))
    site.collector.has("page_view")
    for number, step in enumerate(
        ["history.pushState({}, '', '/a')", "history.replaceState({}, '', '/b')", "history.back()"], start=2
    ):
        tab.js(f"void ({step})")
        site.collector.has(*["page_view"] * number)
    pages = [event["pageUrl"].removeprefix(site.origin) for event in site.collector.has(*["page_view"] * 4)]
    assert pages == ["/", "/a", "/b", "/"]


def test_back_from_the_cache_is_a_view(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    home = site.page("/", body="<script nonce=n>window.here = Math.random()</script>")
    other = site.page("/other")
    tab.go(home)
    site.collector.has("page_view")
    here = tab.js("here")
    rest(tab)
    tab.go(other)
    site.collector.has("page_view", "page_view")
    tab.js("void setTimeout(() => history.back())")
    site.collector.wait(lambda: len(site.collector.raw()) >= 3)
    assert tab.js("here") == here, "this is another page: it did not come from the cache"
    events = site.collector.has("page_view", "page_view", "page_view")
    assert [event["pageUrl"] for event in events] == [home, other, home]


def test_clicks_say_what_was_clicked_and_nothing_private(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    body = """
      <button id=buy role=button data-track-place=top data-secret=x><b>Buy  now</b></button>
      <button data-track=newsletter_signup>Sign up an@shop.example</button>
      <a id=link href="#x?token=t">Next</a>
      <label id=label><button id=holds>Card <input value=4111></button></label>
      <div data-private><button id=private>An Nguyen</button></div>
      <div contenteditable><a id=typed href="#">typed</a></div>
      <p id=text>nothing to click</p>"""
    tab.go(site.page("/", body=body))
    site.collector.has("page_view")
    for selector in ("#buy b", "[data-track]", "#link", "#holds", "#private", "#typed", "#text"):
        tab.js(f"void document.querySelector({json.dumps(selector)}).click()")
    do(tab, "track('end')")
    events = site.collector.has("page_view", "click", "newsletter_signup", "click", "click", "click", "end")
    elements = [event["element"] for event in events[1:-1]]
    assert elements[0] == {
        "tag": "button", "id": "buy", "role": "button", "text": "Buy now", "dataset": {"trackPlace": "top"},
    }  # fmt: skip
    assert elements[1] == {"tag": "button", "text": "Sign up _"}
    assert elements[2] == {"tag": "a", "id": "link", "text": "Next", "href": site.origin + "/"}
    assert elements[3] == {"tag": "button", "id": "holds"}
    assert "text" not in elements[4]
    assert all(secret not in json.dumps(site.collector.requests) for secret in ("4111", "Nguyen", "an@shop"))


def test_the_batch_when_the_page_goes(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    slow = {"interval": 60_000}
    tab.go(site.page("/", slow))
    tab.js("new Promise(done => setTimeout(done, 50))")
    do(tab, "track('first')")
    do(tab, "track('second')")
    assert site.collector.requests == []
    # Away, and not closed: a busy Firefox drops what one closed tab in four sends, the next page sends it.
    tab.go(site.page("/none", tags=0))
    site.collector.has("page_view", "first", "second")
    assert len(site.collector.requests) == 1


def test_a_tab_closed_while_the_collector_is_away_loses_nothing(site: Site, visitor: Visitor) -> None:
    site.collector.fault = lambda _: "down"
    tab = visitor.tab()
    url = site.page("/")
    tab.go(url)
    do(tab, "track('before')")
    site.collector.wait(lambda: site.collector.answers)
    tab.close()
    site.collector.fault = lambda _: "ok"
    visitor.tab().go(url)
    events = site.collector.has("page_view", "before", "page_view")
    assert len({event["sessionId"] for event in events}) == 1


def test_offline_and_back(site: Site, visitor: Visitor) -> None:
    site.collector.fault = lambda _: "down"
    tab = visitor.tab()
    tab.go(site.page("/", {"retry": 60_000}))
    for number in range(5):
        do(tab, f"track('e{number}')")
    site.collector.wait(lambda: site.collector.answers)
    site.collector.fault = lambda _: "ok"
    tab.js("void dispatchEvent(new Event('online'))")
    site.collector.has("page_view", *(f"e{number}" for number in range(5)))
    assert not any(name.startswith("clickstream.event") for name in kept(tab))


def test_two_tabs_are_one_session_and_send_each_event_once(site: Site, visitor: Visitor) -> None:
    url = site.page("/")
    one = visitor.tab()
    one.go(url)
    site.collector.has("page_view")
    two = visitor.tab()
    two.go(url)
    for number in range(60):
        do(one if number % 2 else two, f"track('e{number}')")
    site.collector.wait(lambda: len(site.collector.raw()) >= 62)
    assert len({event["sessionId"] for event in site.collector.raw()}) == 1
    sent = [event["eventId"] for request in site.collector.requests for event in request["events"]]
    # Chromium's processes see each other's changes of the storage a moment later.
    assert len(set(sent)) == 62 and len(sent) <= 65


def test_with_storage_blocked_it_works_in_memory(site: Site, visitor: Visitor) -> None:
    # A sandboxed page has an origin of its own and neither storage nor locks.
    site.collector.origins.add("null")
    tab = visitor.tab()
    tab.go(site.page("/", headers={"content-security-policy": "sandbox allow-scripts"}))
    assert tab.js("(() => { try { localStorage } catch (error) { return error.name } })()") == "SecurityError"
    do(tab, "identify('u-1')")
    do(tab, "track('one')")
    events = site.collector.has("page_view", "one")
    assert len({event["sessionId"] for event in events}) == 1
    assert events[1]["userId"] == "u-1"


def test_a_private_window(site: Site) -> None:
    with firefox(**{"browser.privatebrowsing.autostart": True}) as started:
        tab = FirefoxTab(started, "default")
        tab.go(site.page("/"))
        do(tab, "track('private')")
        view, event = site.collector.has("page_view", "private")
        assert view["sessionId"] == event["sessionId"]


def test_a_page_without_https(site: Site, chromium: Browser) -> None:
    """It is no secure context: there are neither locks nor crypto.randomUUID."""
    site.origin = site.origin.replace("localhost", "shop.test")
    site.collector.origins.add(site.origin)
    with closing(chromium.new_context()) as context:
        one, two = ChromiumTab(context.new_page()), ChromiumTab(context.new_page())
        for tab in (one, two):
            tab.go(site.page("/"))
        assert one.js("[isSecureContext, typeof navigator.locks]") == [False, "undefined"]
        for number in range(20):
            do(one if number % 2 else two, f"track('e{number}')")
        events = site.collector.has("page_view", "page_view", *(f"e{number}" for number in range(20)))
    assert len({event["sessionId"] for event in events}) == 1
    assert all(row.event_id in {event["eventId"] for event in events} for row in site.collector.rows())


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_an_hour_wrong(site: Site, visitor: Visitor, hours: int) -> None:
    tab = visitor.tab()
    tab.go(site.page("/", first=SHIFTED % (hours * 3_600_000)))
    site.collector.has("page_view")
    [row] = site.collector.rows()
    assert row.event_timestamp_source == "corrected"
    assert row.event_timestamp[:16] == row.received_at[:16] or row.event_timestamp < row.received_at


def test_after_thirty_minutes_without_an_event_a_session_begins(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    tab.go(site.page("/", first=SHIFTED % 0))
    site.collector.has("page_view")
    for minutes, name in ((29, "same"), (31, "next")):
        tab.js(f"void (shift += {minutes * 60_000})")
        do(tab, f"track('{name}')")
    view, same, after = site.collector.has("page_view", "same", "next")
    assert view["sessionId"] == same["sessionId"] != after["sessionId"]
    assert view["clientId"] == after["clientId"]
    assert (same["isFirstVisit"], after["isFirstVisit"]) == (True, False)


def test_a_page_with_a_strict_content_security_policy(site: Site, visitor: Visitor) -> None:
    policy = "default-src 'none'; script-src 'self' 'nonce-n'; connect-src " + site.collector.url
    policy += "; require-trusted-types-for 'script'"
    tab = visitor.tab()
    tab.go(site.page("/", headers={"content-security-policy": policy}))
    do(tab, "track('allowed')")
    site.collector.has("page_view", "allowed")


def test_a_collector_that_fails_loses_nothing_and_counts_nothing_twice(
    site: Site, visitor: Visitor, warehouse: ThrowawayPostgres
) -> None:
    dice = random.Random(17)  # noqa: S311
    chances = {"lost": 30, "500": 20, "429": 10, "ok": 40}
    fate = lambda number: "down" if 20 <= number < 30 else dice.choices([*chances], [*chances.values()])[0]  # noqa: E731
    site.collector.fault = fate
    tab = visitor.tab()
    url = site.page("/", {"retry": 5, "interval": 10})
    tab.go(url)
    for part in range(4):
        tab.js(
            f"(async () => {{ for (let n = {part} * 500; n < {part} * 500 + 500; n++) {{"
            " clickstream.track('e', {n}); if (n % 50 === 0) await new Promise(go => setTimeout(go)) } })()"
        )
        if part == 1:
            tab.go(url)  # in the middle
    site.collector.fault = lambda _: "ok"
    tab.js("void dispatchEvent(new Event('online'))")
    site.collector.wait(lambda: not any(name.startswith("clickstream.event") for name in kept(tab)), 60)
    rows = site.collector.rows()
    assert len(rows) > 2002, "no answer was lost: this shows nothing"
    assert len(site.collector.load(warehouse)) == 2000 + 2
    numbers = Counter(event.get("n") for event in site.collector.raw() if event["eventName"] == "e")
    assert numbers == Counter(range(2000))


def test_who_refuses_leaves_no_event_and_no_identifier(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    tab.go(site.page("/", {"consent": "waiting"}))
    do(tab, "loginSuccess('u-1')")
    do(tab, "track('one')")
    assert kept(tab) == {}
    do(tab, "consent(false)")
    do(tab, "track('two')")
    tab.js("void document.body.click()")
    tab.go(site.page("/off", {"consent": "off"}))
    do(tab, "track('three')")
    do(tab, "flush()")
    tab.js("new Promise(done => setTimeout(done, 300))")
    assert kept(tab) == {}
    tab.close()
    assert site.collector.requests == []


def test_who_waits_and_then_consents_loses_nothing(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    tab.go(site.page("/", {"consent": "waiting"}))
    tab.js("new Promise(done => setTimeout(done, 100))")
    do(tab, "track('before')")
    do(tab, "loginSuccess('u-1')")
    assert (kept(tab), site.collector.requests) == ({}, [])
    do(tab, "consent(true)")
    do(tab, "track('after')")
    events = site.collector.has("page_view", "before", "login_success", "after")
    assert len({event["sessionId"] for event in events}) == 1
    assert [event.get("userId") for event in events] == [None, None, "u-1", "u-1"]


def test_consent_withdrawn_removes_all_that_was_kept(site: Site, visitor: Visitor) -> None:
    site.collector.fault = lambda _: "500"
    tab = visitor.tab()
    tab.go(site.page("/"))
    do(tab, "loginSuccess('u-1')")
    site.collector.wait(lambda: site.collector.answers)
    assert len(kept(tab)) >= 3
    do(tab, "consent(false)")
    assert kept(tab) == {}


def test_a_visitor_who_signals_is_left_alone_where_the_site_says_so(site: Site, visitor: Visitor) -> None:
    signal = "Object.defineProperty(navigator, 'globalPrivacyControl', {value: true})"
    tab = visitor.tab()
    tab.go(site.page("/", {"respectSignals": True}, signal))
    do(tab, "consent(true)")
    do(tab, "track('one')")
    tab.js("new Promise(done => setTimeout(done, 200))")
    assert (kept(tab), site.collector.requests) == ({}, [])
    tab.go(site.page("/heedless", {}, signal))
    site.collector.has("page_view")


def test_the_signed_in_visitor_is_known_from_the_first_event_of_every_page(
    site: Site, visitor: Visitor
) -> None:
    tab = visitor.tab()
    tab.go(site.page("/"))
    site.collector.has("page_view")
    do(tab, "loginSuccess('u-1')")
    tab.go(site.page("/b"))
    events = site.collector.has("page_view", "login_success", "page_view")
    assert [event["userLoginState"] for event in events] == ["anonymous", "logged_in", "logged_in"]


def test_a_token_verifies_and_a_refused_one_costs_no_event(site: Site, visitor: Visitor) -> None:
    site.collector.token = "new"
    tab = visitor.tab()
    tab.go(site.page("/", last="clickstreamOptions.token = renew => renew ? 'new' : 'old'"))
    do(tab, "loginSuccess('u-1')")
    site.collector.has("page_view", "login_success")
    verified = {row.event_name: (row.identity_verified, row.user_id) for row in site.collector.rows()}
    assert verified["login_success"] == ("t", "sub")
    assert 401 in site.collector.answers
    site.collector.token = "other"
    do(tab, "track('open')")
    site.collector.wait(lambda: "open" in site.collector.names())
    [row] = [row for row in site.collector.rows() if row.event_name == "open"]
    assert (row.identity_verified, row.user_id) == ("f", "u-1")


def test_two_tags_are_one_tracker(site: Site, visitor: Visitor) -> None:
    tab = visitor.tab()
    tab.go(site.page("/", tags=2))
    do(tab, "track('one')")
    site.collector.has("page_view", "one")


def test_it_never_breaks_the_page(site: Site, visitor: Visitor) -> None:
    first = """
      window.errors = []
      addEventListener('error', event => errors.push(event.message))
      addEventListener('unhandledrejection', event => errors.push(`${event.reason}`))
      for (const level of ['log', 'info', 'warn', 'error', 'debug'])
        console[level] = said => errors.push(said)
      crypto.getRandomValues = () => { throw new Error('no randomness') }
    """
    tab = visitor.tab()
    tab.go(site.page("/", {"url": "http://127.0.0.1:9/nobody"}, first, body="<button>x</button>"))
    for call in ("track('x', {a: 1n})", "productView(null)", "identify({})", "track()", "push(3)"):
        do(tab, call)
    tab.js("void document.querySelector('button').click()")
    tab.js("void history.pushState({}, '', '/b')")
    tab.js("new Promise(done => setTimeout(done, 300))")
    assert tab.js("errors") == []


def test_calls_before_the_script_are_made_after_it(site: Site, visitor: Visitor) -> None:
    first = "window.clickstream = [t => t.track('early')]"
    tab = visitor.tab()
    tab.go(site.page("/", first=first))
    site.collector.wait(lambda: len(site.collector.raw()) >= 2)
    assert Counter(site.collector.names()) == Counter(["early", "page_view"])


def test_debug_without_an_address_shows_what_would_be_sent(site: Site, visitor: Visitor) -> None:
    first = "window.said = []; console.debug = (...words) => said.push(words)"
    tab = visitor.tab()
    tab.go(site.page("/", {"url": None, "debug": True}, first))
    do(tab, "track('mine', {a: 1})")
    tab.js("new Promise(done => setTimeout(done, 200))")
    said: list[Any] = tab.js("said")
    assert {event["eventName"] for _, kind, event in said if kind == "event"} == {"page_view", "mine"}
    assert site.collector.requests == []


def test_the_module_is_the_same_tracker(site: Site, visitors: Callable[[], Visitor]) -> None:
    body = f"""<script type=module nonce=n>
      import {{ createTracker }} from '/tracker.mjs'
      createTracker({{url: '{site.collector.url}', interval: 50}}).track('module')
    </script>"""
    tab = visitors().tab()
    tab.go(site.page("/", tags=0, body=body))
    site.collector.wait(lambda: len(site.collector.raw()) >= 2)
    assert Counter(site.collector.names()) == Counter(["module", "page_view"])


def test_a_hostile_page(site: Site, visitor: Visitor) -> None:
    """Storage that the page has filled, prototypes that it has changed, a label of two million letters."""
    first = """
      Object.prototype.polluted = 'x'
      for (let size = 2 ** 22; size >= 1; size /= 2)
        for (const name of 'abc')
          try { localStorage.setItem(name + size, 'x'.repeat(size)) } catch {}
    """
    tab = visitor.tab()
    tab.go(site.page("/", {}, first, body="<button id=huge></button>"))
    full = "(() => { try { localStorage.setItem('more', 'xxxx') } catch (error) { return error.name } })()"
    assert tab.js(full) == "QuotaExceededError"
    tab.js("void (huge.textContent = 'y'.repeat(2e6))")
    tab.js("void huge.click()")
    do(tab, "identify('u-1')")
    do(tab, "track('own', {a: 1, toJSON() {}})")
    view, click, own = site.collector.has("page_view", "click", "own")
    assert click["element"]["text"] == "y" * 100
    assert (own["a"], own["userId"], own["sessionId"]) == (1, "u-1", view["sessionId"])
    assert "polluted" not in json.dumps(site.collector.requests)
    assert not any(name.startswith("clickstream.") for name in kept(tab))


def test_a_page_that_is_prepared_in_advance_is_seen_when_it_is_shown(site: Site, visitor: Visitor) -> None:
    first = """
      Object.defineProperty(document, 'prerendering', {value: true, configurable: true})
      Object.defineProperty(document, 'visibilityState', {value: 'hidden', configurable: true})
      window.clickstream = [t => t.homeView()]
    """
    tab = visitor.tab()
    tab.go(site.page("/", first=first))
    tab.js("new Promise(done => setTimeout(done, 300))")
    assert (kept(tab), site.collector.requests) == ({}, [])
    tab.js("void (delete document.prerendering, delete document.visibilityState)")
    tab.js("void document.dispatchEvent(new Event('prerenderingchange'))")
    site.collector.has("home_view", "page_view")
