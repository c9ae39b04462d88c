"""A shop's traffic, made up: the same for the same seed, of any size, in the same proportions.

A year of the benchmark's shop (1.2 million sessions) has 12.1 million page views and 2.7 million other
events. One model gives two outputs of the same events:

- `requests` and `raw_objects`: what browsers send, for tests; some thousands of events a second
- `rows`: lines of COPY text for `clickstream_events`, as the loader would make them of those objects, ten
  times as fast: texts that repeat (products of a day, pages, seconds of a day) are made once

What is modelled: a growing shop in Ho Chi Minh City with its hours, weekdays, sale days and Tết; visitors of
whom most come once and a few come every other day; sessions from one page to a hundred; a funnel from view
to purchase; logins in the middle of a session, guests, carts kept from an earlier visit; bots; a catalogue
with prices that change; trackers that send their events in batches, some days late, some by a wrong clock.
One visitor in five has another tracker: it sends specific views in place of page views, 0 for no discount,
carts with a product's id and name only, orders with their items, and these again where the success page is
loaded again; its visitors open several tabs, and a few fill a cart on their first visit and buy on the next.

Each day has a random generator of its own, so any piece of the year can be made by itself.
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property
from itertools import accumulate
from random import Random
from statistics import NormalDist
from typing import Any, Final, NamedTuple, TypeVar

T = TypeVar("T")

ZONE: Final = timezone(timedelta(hours=7), "Asia/Ho_Chi_Minh")
"""The shop's days. The zone has no daylight saving time."""
ORIGIN: Final = "https://shop.example"
MINUTE: Final = 60_000
HOUR: Final = 3_600_000
DAY: Final = 86_400_000
"""Times are milliseconds since 1970, UTC."""
MAX_PAUSE: Final = 28 * MINUTE
"""Longest time between two events of a session."""
MIN_ABSENCE: Final = 35 * MINUTE
"""Shortest time between the last page of a session and the visitor's next session."""
ANONYMOUS, GUEST, LOGGED_IN = "anonymous", "guest", "logged_in"

# --- Tables: a draw is an index into a list -------------------------------------------------------------

_NORMAL: Final = NormalDist()


def _random(seed: int, part: object) -> Random:
    """Return the random generator of a part of the model."""
    return Random(f"{seed}/{part}")  # noqa: S311 - the same in every run


def _table(weights: Mapping[T, float], size: int = 4096) -> list[T]:
    """Return `size` items, each as often as its weight says."""
    table: list[T] = []
    total = sum(weights.values())
    for item, reached in zip(weights, accumulate(weights.values()), strict=True):
        table += [item] * (round(size * reached / total) - len(table))
    return table


def _quantiles(inverse: Callable[[float], float], size: int = 4096) -> list[int]:
    """Return a distribution as `size` equally likely values; `inverse` is its quantile function."""
    return [round(inverse((number + 0.5) / size)) for number in range(size)]


def _lognormal(median: float, sigma: float, low: float, high: float) -> list[int]:
    return _quantiles(lambda p: min(max(median * math.exp(sigma * _NORMAL.inv_cdf(p)), low), high))


# --- When people come ---------------------------------------------------------------------------------

_WEEKDAYS: Final = (1.06, 1.04, 1.02, 1.0, 0.98, 0.93, 0.97)
_HOURS: Final = (
    *(1.8, 1.0, 0.6, 0.4, 0.4, 0.6, 1.3, 2.4, 4.0, 5.4, 6.1, 6.2),
    *(5.6, 5.2, 5.4, 5.5, 5.2, 4.8, 4.9, 6.0, 7.4, 7.6, 6.2, 3.8),
)
_SALES: Final = {(11, 11): 3.4, (12, 12): 2.9, (9, 9): 2.1, (10, 10): 2.0, (6, 6): 1.7, (3, 3): 1.5}
_TET: Final = tuple(map(date.fromisoformat, ("2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06")))
_GROWTH: Final = 0.6
"""Growth of the number of visitors over a year."""


def sale_weight(day: date) -> float:
    """Return the factor by which a sale day has more visitors; 1 on any other day."""
    if day.month == 11 and day.weekday() == 4 and 23 <= day.day <= 29:
        return 2.4  # Black Friday
    return _SALES.get((day.month, day.day), 1.0)


def _day_weight(day: date, age: float) -> float:
    away = min(abs((day - tet).days) for tet in _TET)
    tet = 0.45 if away <= 3 else 0.8 if away <= 6 else 1.0
    return (1 + _GROWTH * age) * _WEEKDAYS[day.weekday()] * sale_weight(day) * tet


# --- What is sold -------------------------------------------------------------------------------------


class _Category(NamedTuple):
    """What a category holds; `share` of views, median `price` in VND."""

    products: int
    kind: str
    share: float
    price: float
    brands: str
    series: str


_CATEGORIES: Final = {
    "laptop": _Category(150, "Laptop", 0.44, 22e6, "Dell HP Lenovo ASUS Acer MSI Apple LG", "Air Pro Gaming"),
    "monitor": _Category(
        90, "Màn hình", 0.19, 5.5e6, "Dell LG Samsung ViewSonic ASUS Acer", "Curve Office Play"
    ),
    "keyboard": _Category(70, "Bàn phím", 0.12, 1.4e6, "Logitech Razer ASUS MSI Apple", "Mechanical Silent"),
    "mouse": _Category(70, "Chuột", 0.11, 0.8e6, "Logitech Razer ASUS Dell HP", "Wireless Vertical Light"),
    "headset": _Category(60, "Tai nghe", 0.08, 1.9e6, "Razer Logitech Samsung HP Apple", "Studio Move Play"),
    "accessory": _Category(
        60, "Phụ kiện", 0.06, 0.6e6, "Dell Lenovo Samsung Apple", "Hub Stand Sleeve Cable"
    ),
}
_LISTING_ENDINGS: Final = (
    *(f"?page={page}" for page in range(2, 9)),
    *(f"?sort={order}" for order in ("price-asc", "price-desc", "newest", "best-selling")),
    *(f"?price={bounds}" for bounds in ("0-5", "5-10", "10-20", "20-40")),
)
_DETAIL_ENDINGS: Final = ("?tab=specs", "?tab=reviews", "?tab=reviews&page=2", "?variant=2", "/gallery")


@dataclass(frozen=True, slots=True)
class Product:
    """A product; `prices` are (from this day on, price, discount in percent)."""

    id: str
    name: str
    category: str
    brand: str
    url_path: str
    sale_percent: int
    prices: tuple[tuple[int, int, int], ...]

    def on(self, day: int, sale: bool) -> dict[str, object]:
        """Return the product as an event of a day has it."""
        place = bisect_right(self.prices, day, key=lambda change: change[0]) - 1
        _, price, percent = self.prices[place]
        percent = max(percent, self.sale_percent) if sale else percent
        shown: dict[str, object] = {"id": self.id, "name": self.name, "category": self.category}
        shown |= {"brand": self.brand, "price": price, "urlPath": self.url_path}
        if percent:
            shown["discountPrice"] = round(price * (100 - percent) / 1e6) * 10_000
        return shown


def _catalogue(random_: Random, days: int) -> list[Product]:
    products = []
    for category, about in _CATEGORIES.items():
        for number in range(1, about.products + 1):
            brand, line = random_.choice(about.brands.split()), random_.choice(about.series.split())
            name = f"{about.kind} {brand} {line} {number + 100}"
            path = f"/{category}/{brand}-{line}-{number + 100}".lower()
            sale = random_.choice((0, 10, 15, 15, 20, 25))
            prices = tuple(_prices(random_, about.price * math.exp(random_.gauss(0, 0.5)), days))
            code = f"{category[:2].upper()}{number:04}"
            products.append(Product(code, name, category, brand, path, sale, prices))
    return products


def _prices(random_: Random, price: float, days: int) -> Iterator[tuple[int, int, int]]:
    day = 0
    while day < days:
        percent = random_.choice((0, 0, 0, 5, 5, 10, 15, 20))
        yield day, max(round(price / 1e5), 1) * 100_000 - 10_000, percent
        day += random_.randint(14, 45)
        if random_.random() < 0.3:
            price *= random_.uniform(0.92, 1.05)


# --- What people do -----------------------------------------------------------------------------------

_TERMS: Final = (
    *("laptop+gaming", "laptop+sinh+vi%C3%AAn", "macbook+air", "m%C3%A0n+h%C3%ACnh+27+inch", "chu%E1%BB%99t"),
    *("b%C3%A0n+ph%C3%ADm+c%C6%A1", "tai+nghe", "dell+xps", "thinkpad", "hub+usb-c", "m%C3%A0n+h%C3%ACnh+4k"),
    *("laptop+d%C6%B0%E1%BB%9Bi+15+tri%E1%BB%87u", "logitech", "asus+rog", "gi%C3%A1+%C4%91%E1%BB%A1"),
)
_ARTICLES: Final = tuple(f"{ORIGIN}/blog/bai-viet-{number}" for number in range(1, 121))
_SERVICES: Final = tuple(
    f"{ORIGIN}/{page}"
    for page in ("so-sanh", "bao-hanh", "doi-tra", "cua-hang", "tra-gop", "lien-he", "khuyen-mai")
)
_SOURCES: Final = {
    # referrer, ending of the landing page's address: share
    ("", ""): 0.30,
    ("https://www.google.com/", ""): 0.34,
    ("https://www.google.com/", "?utm_source=google&utm_medium=cpc&utm_campaign=laptop"): 0.10,
    ("https://www.facebook.com/", "?utm_source=facebook&utm_medium=social"): 0.12,
    ("https://zalo.me/", "?utm_source=zalo&utm_medium=social"): 0.06,
    ("https://coccoc.com/", ""): 0.05,
    ("", "?utm_source=newsletter&utm_medium=email"): 0.03,
}
_ELEMENTS: Final[dict[str, dict[str, object]]] = {
    kind: {"dataset": {"track": kind}, "id": kind, "role": "button", "tag": tag, "text": text}
    for kind, tag, text in (
        ("menu", "a", "Danh mục"),
        ("banner", "a", "Xem ưu đãi"),
        ("filter", "label", "Lọc theo giá"),
        ("chat", "button", "Tư vấn ngay"),
        ("image", "img", "Ảnh sản phẩm"),
        ("add-to-cart", "button", "Thêm vào giỏ"),
        ("remove", "button", "Xóa"),
        ("wishlist", "button", "Yêu thích"),
        ("share", "button", "Chia sẻ"),
        ("login", "a", "Đăng nhập"),
    )
}
_CLICKED: Final = ("menu", "banner", "filter", "chat", "image")

Step = tuple[int, str, str, str, int, str, str]
"""An event: time, name, page, referrer, product (-1: none), element ("": none), login state."""


class Visitor(NamedTuple):
    """Who comes: `login_from` is the visit of the first login, -1 without an account."""

    number: int
    is_bot: bool
    login_from: int


class Order(NamedTuple):
    """An order: `products` are what its items name, none where its tracker sends only the total."""

    id: str
    total: int
    products: tuple[int, ...]


class _Left(Exception):
    """Raised to end a session early."""


class _Walk:
    """One session, step by step."""

    def __init__(
        self, model: _Model, random_: Random, day: _Day, start: int, until: int, other: bool = False
    ) -> None:
        self.model, self.random, self.day = model, random_.random, day
        self.other = other
        """Whether the visitor's tracker is the other one."""
        self.orders: dict[int, Order] = {}
        """By the place of their step."""
        self.time, self.until = start, until
        self.steps: list[Step] = []
        self.url = self.referrer = ""
        self.state = ANONYMOUS
        self.has_account = False
        self.category = 0
        self.product = -1
        self.cart: list[int] = []

    def draw(self, table: list[T]) -> T:
        return table[int(self.random() * len(table))]

    # What a browser sends

    def open(self, url: str) -> None:
        """Look at a page."""
        if self.steps:
            self.time += _DWELL[int(self.random() * 4096)]
            if self.time > self.until:
                raise _Left
        self.referrer, self.url = self.url or self.referrer, url
        self.steps.append((self.time, "page_view", url, self.referrer, -1, "", self.state))
        if self.random() < 0.0255:
            self.send("click", element=_CLICKED[int(self.random() * 5)])

    def send(self, name: str, product: int = -1, element: str = "", pause: list[int] | None = None) -> None:
        """Send an event of the page that is open."""
        if self.other and name in _SPECIFIC_VIEWS and self.steps[-1][1] == "page_view":
            self.steps.pop()
        self.time += self.draw(pause or _PAUSE)
        self.steps.append((self.time, name, self.url, self.referrer, product, element, self.state))

    # Sessions

    def as_bot(self) -> list[Step]:
        """Read through listings and products."""
        products, listings = self.model.products, self.model.listings
        try:
            for _ in range(self.draw(_BOT_PAGES)):
                self.time += self.draw(_BOT_DWELL)
                if self.time > self.until:
                    raise _Left
                if self.random() < 0.3:
                    url = self.draw(self.draw(listings))
                else:
                    self.product = int(self.random() * len(products))
                    url = self.model.product_urls[self.product]
                self.steps.append((self.time, "page_view", url, "", -1, "", ANONYMOUS))
                if self.random() < 0.04 and self.product >= 0:
                    self.url = url
                    self.send("product_view", self.product, pause=_MOMENT)
        except _Left:
            pass
        return self.steps

    def as_person(self, visit: int, visitor: Visitor) -> list[Step]:
        """Arrive, browse, perhaps buy, leave."""
        login_from = visitor.login_from
        self.order_id = f"DH-{visitor.number}-{visit}"
        puts_aside = self.other and visitor.number % _PUTS_ASIDE_EVERY == _OTHER_TRACKER
        self.has_account = 0 <= login_from <= visit
        pages = self.draw(_PAGES)
        login_at = -1
        if self.has_account:
            chance = self.random()
            if visit > login_from and chance < 0.6:
                self.state = LOGGED_IN
            elif visit == login_from or chance < 0.75:
                login_at = int(1 + self.random() * min(pages - 1, 6))
        try:
            if puts_aside and visit == 1:
                self.open(f"{ORIGIN}/gio-hang")
                self.check_out((visitor.number % len(self.model.products),))
            elif visit and self.random() < 0.02:
                self.resume()
            else:
                self.land()
            for page in range(1, pages):
                if page == login_at and self.state == ANONYMOUS:
                    self.log_in()
                else:
                    _NEXT[int(self.random() * 4096)](self)
            if self.cart and self.random() < 0.22:
                self.check_out()
            if puts_aside and visit == 0:
                self.put_aside(visitor.number % len(self.model.products))
            if self.state == LOGGED_IN and self.random() < 0.05:
                self.send("logout")
        except _Left:
            pass
        return self.steps

    def land(self) -> None:
        """Open the first page."""
        self.referrer, ending = self.draw(_ARRIVALS)
        self.category = self.draw(self.model.categories)
        chance = self.random()
        if chance < 0.32:
            self.see_home(ending)
        elif chance < 0.60:
            self.see_product(ending)
        elif chance < 0.80:
            self.see_category(ending)
        else:
            self.open(self.draw_article() + ending)

    def resume(self) -> None:
        """Come back to a cart of an earlier visit."""
        self.category = self.draw(self.model.categories)
        self.cart.append(self.draw(self.model.popular[self.category]))
        self.open(f"{ORIGIN}/gio-hang")
        if self.random() < 0.4:
            self.check_out()

    def put_aside(self, product: int) -> None:
        """Leave a product in the cart for the next visit."""
        self.open(self.model.product_urls[product])
        self.send("product_view", product, pause=_MOMENT)
        self.put_into_cart(product)

    def put_into_cart(self, product: int) -> None:
        """Click; the other tracker says only the product's id and name."""
        poor = len(self.model.products) if self.other else 0
        self.send("add_to_cart_click", product + poor, "add-to-cart")

    def draw_article(self) -> str:
        """Return an article; newer ones are read more often."""
        return _ARTICLES[int(len(_ARTICLES) * self.random() ** 2)]

    # Pages

    def see_home(self, ending: str = "") -> None:
        self.open(f"{ORIGIN}/{ending}")
        self.send("home_view", pause=_MOMENT)

    def see_category(self, ending: str = "") -> None:
        self.open(self.model.category_urls[self.category] + ending)
        self.send("category_view", pause=_MOMENT)

    def change_category(self) -> None:
        self.category = self.draw(self.model.categories)
        self.see_category()

    def see_listing(self) -> None:
        self.open(self.draw(self.model.listings[self.category]))

    def see_product(self, ending: str = "") -> None:
        self.product = product = self.draw(self.model.popular[self.category])
        self.open(self.model.product_urls[product] + ending)
        self.send("product_view", product, pause=_MOMENT)
        if self.other and self.random() < 0.3:
            self.open_tab()
        chance = self.random()
        if chance < 0.125 * self.day.appetite:
            self.put_into_cart(product)
            self.cart.append(product)
            if self.random() < 0.33:
                self.check_out()
        elif chance > 0.97:
            self.send("wishlist_toggle", product, "wishlist")
        elif chance > 0.96:
            self.send("share_click", product, "share")

    def open_tab(self) -> None:
        """Open another product in a tab of its own, and go on in this one."""
        product = self.draw(self.model.popular[self.category])
        self.time += self.draw(_MOMENT)
        url = self.model.product_urls[product]
        self.steps.append((self.time, "product_view", url, self.url, product, "", self.state))

    def see_details(self) -> None:
        if self.product < 0:
            self.see_listing()
        else:
            self.open(self.model.product_urls[self.product] + _DETAIL_ENDINGS[int(self.random() * 5)])

    def search(self) -> None:
        self.open(f"{ORIGIN}/tim-kiem?q={_TERMS[int(len(_TERMS) * self.random() ** 1.5)]}")
        self.send("search", pause=_MOMENT)

    def read(self) -> None:
        self.open(self.draw_article())

    def ask(self) -> None:
        self.open(_SERVICES[int(self.random() * len(_SERVICES))])

    def log_in(self) -> None:
        """Log in on the login page; some give up."""
        self.send("login_open", element="login")
        self.open(f"{ORIGIN}/dang-nhap")
        if self.random() < 0.85:
            self.state = LOGGED_IN
            self.send("login_success")

    def check_out(self, put_aside: tuple[int, ...] = ()) -> None:
        """Go to the cart and on towards the purchase, also of what an earlier visit has `put_aside`."""
        self.open(f"{ORIGIN}/gio-hang")
        if self.cart and self.random() < 0.15:
            self.send("remove_from_cart_click", self.cart.pop(), "remove")
            if not self.cart:
                return
        if self.state == ANONYMOUS and self.has_account and self.random() < 0.7:
            self.log_in()
        self.open(f"{ORIGIN}/thanh-toan")
        if self.state == ANONYMOUS:
            self.state = GUEST
        self.send("checkout_start", pause=_MOMENT)
        for page, goes_on in (("giao-hang", 0.77), ("hinh-thuc", 0.73)):
            self.open(f"{ORIGIN}/thanh-toan/{page}")
            if self.random() > goes_on:
                return
        self.open(f"{ORIGIN}/thanh-toan/hoan-tat")
        if self.other:
            self.complete(put_aside)
        else:
            # The event names a product if the cart has one; a cart of several is not named.
            self.send("checkout_complete", self.cart[0] if len(self.cart) == 1 else -1, pause=_MOMENT)
        self.cart.clear()

    def complete(self, put_aside: tuple[int, ...]) -> None:
        """Send the order as the other tracker does; some load its page again."""
        total = sum(map(self.day.paid, (*put_aside, *self.cart)))
        # Of what was put aside the tracker knows only the total.
        products = () if put_aside else tuple(self.cart)
        order = Order(f"{self.order_id}-{len(self.steps)}", total, products)
        for again in (False, True):
            if again:
                if self.random() > 0.25:
                    return
                self.open(self.url)
            self.orders[len(self.steps)] = order
            self.send("checkout_complete", pause=_MOMENT)


_SPECIFIC_VIEWS: Final = ("home_view", "category_view", "product_view")
_NEXT: Final = _table(
    {
        _Walk.see_listing: 0.300,
        _Walk.see_product: 0.063,
        _Walk.see_details: 0.270,
        _Walk.change_category: 0.020,
        _Walk.see_home: 0.008,
        _Walk.search: 0.021,
        _Walk.read: 0.163,
        _Walk.ask: 0.160,
    }
)
_ARRIVALS: Final = _table(_SOURCES)
_PAGES: Final = [
    1 if p < 0.4 else min(max(round(9.92 * math.exp(0.9 * _NORMAL.inv_cdf((p - 0.4) / 0.6))), 2), 150)
    for p in ((number + 0.5) / 4096 for number in range(4096))
]
_BOT_PAGES: Final = _quantiles(lambda p: min(1 - 30 * math.log(1 - p), 300))
_AWAY: Final = [5 * MINUTE + (MAX_PAUSE - 5 * MINUTE) * place // 23 for place in range(24)]
"""Who goes away with the page open, and comes back before it is another session."""
_DWELL: Final = _lognormal(22_000, 1.1, 1_500, MAX_PAUSE)[: -len(_AWAY)] + _AWAY
_BOT_DWELL: Final = _lognormal(1_500, 0.8, 200, MINUTE)
_PAUSE: Final = _lognormal(4_000, 0.7, 400, 15_000)
_MOMENT: Final = _lognormal(250, 0.5, 30, 2_000)

# --- Who comes, and how often -------------------------------------------------------------------------


_VISITS: Final = _table({count: count**-2.27 for count in range(1, 251)}, 1 << 16)
_RETURN: Final = _lognormal(4, 1.8, 0, 120)
"""Days until the next visit."""
_OTHER_EVERY, _OTHER_TRACKER, _PUTS_ASIDE_EVERY = 5, 3, 50
"""One visitor in five has the other tracker (by the rest of its number); one in fifty puts a cart aside."""
_BOT_EVERY: Final = 27
"""One visitor in this many is a bot."""
_BOT_VISITS: Final = 10
"""Most visits of a bot under one client id."""

Session = tuple[int, int, int, int]
"""A planned session: start, time by which it has ended, number of the visitor, number of the visit."""

# --- How events arrive --------------------------------------------------------------------------------

_AGENTS: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Mobile Safari/604.1",
    "Mozilla/5.0 (Linux; Android 15; SM-S921B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 Safari/605.1.15",
    "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
)
_BOT_AGENTS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/142.0",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
)
_BATCH_TIME: Final = MINUTE
_BATCH_SIZE: Final = 20
_LATENCY: Final = _lognormal(180, 0.8, 40, 20_000)
_LATE_SHARE: Final = 0.004
_LATENESS: Final = _quantiles(lambda p: MINUTE * 7_000**p)
"""Delay of events that were sent without a network: a minute to five days."""
_SKEWS: Final = tuple(minutes * MINUTE for minutes in (-420, -61, -9, 4, 33, 60, 1441))


class Batch(NamedTuple):
    """A request's part of a session: steps from `first` to before `last`, and their way to the collector."""

    first: int
    last: int
    sent: int
    received: int
    key: str


def _has_other_tracker(visitor: Visitor) -> bool:
    return visitor.number % _OTHER_EVERY == _OTHER_TRACKER and not visitor.is_bot


class Visit(NamedTuple):
    """A session with what both outputs need; `skew` is the error of the visitor's clock."""

    visitor: Visitor
    client_id: str
    session_id: str
    user_id: str
    first: bool
    skew: int
    steps: list[Step]
    orders: dict[int, Order]
    event_ids: list[str]
    batches: list[Batch]

    @property
    def other(self) -> bool:
        """Whether the visitor's tracker is the other one."""
        return _has_other_tracker(self.visitor)

    def is_verified(self, state: str) -> bool:
        """Return whether a token proves the identity; old trackers send none."""
        return state == LOGGED_IN and self.visitor.number % 8 != 0


class Request(NamedTuple):
    """A request as the collector gets it; `identity` is what a token proved."""

    key: str
    received: datetime
    user_agent: str
    identity: dict[str, object] | None
    body: dict[str, Any]

    def raw_object(self) -> bytes:
        """Return the raw object that the collector stores."""
        path = "/clickstream" if self.identity is None else "/clickstream/me"
        ingest: dict[str, object] = {
            "receivedAt": _iso(self.received, "microseconds"),
            "sourceIp": "203.0.113.7",
            "userAgent": self.user_agent,
            "requestId": self.key[-12:-5],
            "apiId": "a",
            "stage": "$default",
            "traceId": "Root=1",
            "method": "POST",
            "path": path,
        }
        if self.identity is not None:
            ingest["identity"] = self.identity
        return _json({**self.body, "_ingest": ingest}).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _iso(moment: datetime, precision: str = "milliseconds") -> str:
    return moment.isoformat(timespec=precision)[:-6] + "Z"


def _moment(time: int) -> datetime:
    return datetime.fromtimestamp(time // 1000, UTC) + timedelta(milliseconds=time % 1000)


def _uuid(digits: str, place: int) -> str:
    """Return a UUID (version 4) of the random hexadecimal digits from `place` on."""
    end = place + 32
    return (
        f"{digits[place : place + 8]}-{digits[place + 8 : place + 12]}-4{digits[place + 13 : place + 16]}"
        f"-a{digits[place + 17 : place + 20]}-{digits[place + 20 : end]}"
    )


@dataclass(slots=True)
class _Day:
    """What is the same for a day: prices, and the inclination to buy."""

    number: int
    start: int
    appetite: float
    products: list[dict[str, Any]]
    """As events have them; after all of them each again with its id and name only."""

    def paid(self, product: int) -> int:
        """Return the price after discount."""
        known = self.products[product]
        return int(known.get("discountPrice") or known["price"])

    def order(self, order: Order) -> dict[str, Any]:
        """Return an order as an event has it."""
        said: dict[str, Any] = {"id": order.id, "total": order.total, "currency": "VND"}
        if order.products:
            said["items"] = [
                {**_with_discount(self.products[product]), "quantity": order.products.count(product)}
                for product in dict.fromkeys(order.products)
            ]
        return said

    def order_columns(self, order: Order) -> str:
        """Return quantity, order id and details as COPY text: of money two places, and 0 is no discount."""
        names = {"id": "id", "name": "name", "category": "category", "brand": "brand"}
        names |= {"price": "price", "discountPrice": "discount_price", "quantity": "quantity"}
        details: dict[str, Any] = {"total": f"{order.total}.00", "currency": "VND"}
        items = [
            {
                column: str(item[name]) + ".00" * ("rice" in name)
                for name, column in names.items()
                if item[name]
            }
            for item in self.order(order).get("items", [])
        ]
        if items:
            details["items"] = items
        return f"\t{order.id}\t{_json(details)}"

    def product_columns(self) -> list[str]:
        """Return each product as COPY text; the last one (-1) is no product."""
        columns = ("id", "name", "category", "brand", "price", "discountPrice", "urlPath")
        return ["\t".join(str(product.get(name, "")) for name in columns) for product in self.products] + [
            "\t" * 6
        ]


def _with_discount(product: dict[str, Any]) -> dict[str, Any]:
    """Return a product as the other tracker sends it: 0 is no discount."""
    return {**product, "discountPrice": product.get("discountPrice", 0)}


class _Model:
    """What all days share: the catalogue and the pages."""

    def __init__(self, seed: int, days: int) -> None:
        self.products = _catalogue(_random(seed, "catalogue"), days)
        self.product_urls = [ORIGIN + product.url_path for product in self.products]
        names = list(_CATEGORIES)
        self.category_urls = [f"{ORIGIN}/{name}" for name in names]
        self.listings = [[url + ending for ending in _LISTING_ENDINGS] for url in self.category_urls]
        self.categories = _table({place: _CATEGORIES[name].share for place, name in enumerate(names)})
        self.popular = []
        for name in names:
            places = [place for place, product in enumerate(self.products) if product.category == name]
            # Zipf, over a random order of the products: popularity does not follow from the id.
            _random(seed, name).shuffle(places)
            self.popular.append(_table({place: (rank + 1.5) ** -0.9 for rank, place in enumerate(places)}))


class Shop:
    """A shop's traffic: `sessions` in the `days` that end with `end` (a day of its zone that is over).

    What is received only after `end` is not there yet.
    """

    def __init__(self, sessions: int, seed: int, end: date, days: int = 365) -> None:
        self.sessions, self.seed, self.days = sessions, seed, days
        self.first_day = end - timedelta(days=days - 1)
        midnight = datetime.combine(self.first_day, datetime.min.time(), ZONE)
        self.start = round(midnight.timestamp() * 1000)
        self.end = self.start + days * DAY
        self.model = _Model(seed, days)
        self.visitors: list[Visitor] = []
        self._plan = self._planned()
        self._client_digits = _random(seed, "clients").randbytes(32 * len(self.visitors)).hex()

    # The plan: who comes when

    def _planned(self) -> list[list[Session]]:
        """Return the sessions of each day in the order of their starts."""
        random_ = _random(self.seed, "plan")
        random = random_.random
        weights = [
            _day_weight(self.first_day + timedelta(days=day), day / self.days) * random_.uniform(0.94, 1.06)
            for day in range(self.days)
        ]
        usual = sorted(weights)[self.days * 9 // 10]
        days, hours = _table(dict(enumerate(weights)), 1 << 16), _table(dict(enumerate(_HOURS)))
        plan: list[list[Session]] = [[] for _ in range(self.days)]
        # Limited, so that no visitor is half of a small shop's traffic.
        left, most = self.sessions, max(self.sessions // 10, 3)
        while left:
            visitor = len(self.visitors)
            is_bot = visitor % _BOT_EVERY == 5
            count = min(_VISITS[int(random() * 65536)], left, _BOT_VISITS if is_bot else most)
            left -= count
            login_from = -1
            if not is_bot and random() < (0.09 if count == 1 else 0.4):
                login_from = int(random() * min(count, 4))
            self.visitors.append(Visitor(visitor, is_bot, login_from))
            starts = []
            day = -1
            for _ in range(count):
                # Soon after the visit before, where the season allows it; otherwise any day of the year.
                day = day + _RETURN[int(random() * 4096)] if day >= 0 and random() < 0.7 else self.days
                if day >= self.days or random() * usual > weights[day]:
                    day = days[int(random() * 65536)]
                hour = random() * 24 if is_bot else hours[int(random() * 4096)] + random()
                starts.append(self.start + day * DAY + int(hour * HOUR))
            starts.sort()
            for place in range(1, count):
                if starts[place] < starts[place - 1] + MIN_ABSENCE + 5 * MINUTE:
                    starts[place] = starts[place - 1] + MIN_ABSENCE + int((5 + 60 * random()) * MINUTE)
            for place, start in enumerate(starts):
                until = starts[place + 1] - MIN_ABSENCE if place + 1 < count else self.end
                if start < self.end:
                    plan[(start - self.start) // DAY].append((start, until, visitor, place))
        for planned in plan:
            planned.sort()
        return plan

    def pieces(self, count: int) -> list[range]:
        """Split the days into `count` ranges of about the same number of sessions."""
        reached = list(accumulate(map(len, self._plan)))
        ends = [bisect_right(reached, reached[-1] * piece / count) for piece in range(1, count)]
        return [range(first, last) for first, last in zip([0, *ends], [*ends, self.days], strict=True)]

    # The sessions of a day

    def _day(self, number: int) -> _Day:
        sale = sale_weight(self.first_day + timedelta(days=number))
        products = [product.on(number, sale > 1) for product in self.model.products]
        poor = [{"id": product["id"], "name": product["name"]} for product in products]
        return _Day(number, self.start + number * DAY, 1.4 if sale > 1 else 1.0, products + poor)

    def _visits(self, day: _Day) -> Iterator[Visit]:
        """Yield the sessions that begin on a day."""
        random_ = _random(self.seed, day.number)
        for start, until, number, place in self._plan[day.number]:
            visitor = self.visitors[number]
            walk = _Walk(self.model, random_, day, start, until, _has_other_tracker(visitor))
            steps = walk.as_bot() if visitor.is_bot else walk.as_person(place, visitor)
            digits = random_.randbytes(16 * len(steps) + 16).hex()
            yield Visit(
                visitor,
                _uuid(self._client_digits, 64 * number),
                _uuid(digits, 32 * len(steps)),
                _uuid(self._client_digits, 64 * number + 32),
                place == 0 and number % 8 != 3,
                0 if number % 211 else _SKEWS[number % len(_SKEWS)],
                steps,
                walk.orders,
                [_uuid(digits, 32 * event) for event in range(len(steps))],
                self._batches(steps, random_),
            )

    def _batches(self, steps: list[Step], random_: Random) -> list[Batch]:
        """Split a session into requests: by time, size, and login state (a token proves it for all)."""
        random = random_.random
        batches = []
        first, count = 0, len(steps)
        while first < count:
            start, state = steps[first][0], steps[first][6]
            last, limit, deadline = first + 1, min(count, first + _BATCH_SIZE), start + _BATCH_TIME
            while last < limit and steps[last][0] <= deadline and steps[last][6] == state:
                last += 1
            sent = min(deadline, steps[last - 1][0] + 15_000)
            if random() < _LATE_SHARE:
                sent += _LATENESS[int(random() * 4096)]
            received = sent + _LATENCY[int(random() * 4096)]
            digits = f"{random_.getrandbits(128):032x}"
            if received < self.end:
                hours = self._hours[(received - self.start) // HOUR]
                batches.append(Batch(first, last, sent, received, f"{hours}{_uuid(digits, 0)}.json"))
            first = last
        return batches

    @cached_property
    def _hours(self) -> list[str]:
        hours = range(self.start, self.end, HOUR)
        return [f"{_moment(hour):events/%Y/%m/%d/%H}/event-" for hour in hours]

    # The two outputs

    def requests(self, days: range | None = None) -> Iterator[Request]:
        """Yield the requests of the sessions that begin on these days, in the order of their receipt."""
        waiting: list[tuple[int, str, Request]] = []
        for number in days if days is not None else range(self.days):
            day = self._day(number)
            for visit in self._visits(day):
                for batch in visit.batches:
                    waiting.append((batch.received, batch.key, self._request(day, visit, batch)))
            waiting.sort(key=lambda entry: entry[:2])
            ready = bisect_right(waiting, day.start + DAY - 1, key=lambda entry: entry[0])
            yield from (request for _, _, request in waiting[:ready])
            del waiting[:ready]
        yield from (request for _, _, request in waiting)

    def raw_objects(self, days: range | None = None) -> Iterator[tuple[str, bytes]]:
        """Yield the raw objects of these requests: key and content."""
        for request in self.requests(days):
            yield request.key, request.raw_object()

    def _request(self, day: _Day, visit: Visit, batch: Batch) -> Request:
        state = visit.steps[batch.first][6]
        identity: dict[str, object] | None = None
        if visit.is_verified(state):
            identity = {"verified": True, "userId": visit.user_id}
            identity |= {"userLoginState": LOGGED_IN, "identitySource": "cognito"}
        agents = _BOT_AGENTS if visit.visitor.is_bot else _AGENTS
        body = {
            "events": [_event(day, visit, place) for place in range(batch.first, batch.last)],
            "sentAt": _iso(_moment(batch.sent + visit.skew)),
        }
        agent = agents[visit.visitor.number % len(agents)]
        return Request(batch.key, _moment(batch.received), agent, identity, body)

    def rows(self, days: range | None = None, loaded_at: bool = False) -> Iterator[str]:
        """Yield the rows of the same events as lines of COPY text, many lines at a time, in the same order.

        With `loaded_at` as one more column: the hourly run that follows, 90 seconds past the hour.
        """
        stamp = self._stamp
        waiting: list[tuple[int, str, str]] = []
        for number in days if days is not None else range(self.days):
            day = self._day(number)
            products = day.product_columns()
            day_end = day.start + DAY
            ready: list[tuple[int, str, str]] = [entry for entry in waiting if entry[0] < day_end]
            waiting = [entry for entry in waiting if entry[0] >= day_end]
            for visit in self._visits(day):
                steps, ids, skew = visit.steps, visit.event_ids, visit.skew
                orders = {place: day.order_columns(order) for place, order in visit.orders.items()}
                ends = f"{visit.client_id}\t{visit.session_id}\t{'t' if visit.first else 'f'}"
                source = "corrected" if skew else "client"
                is_bot = "t" if visit.visitor.is_bot else "f"
                for first, last, sent, received, key in visit.batches:
                    state = steps[first][6]
                    verified = visit.is_verified(state)
                    who = f"{_who(visit, state, verified)}\t{ends}"
                    tail = f"{'t' if verified else 'f'}\t{source}\t{is_bot}\t{stamp(received)}\t{key}"
                    hour_end = (received // HOUR + 1) * HOUR
                    end = f"\t{stamp(hour_end + 90_000)}\n" if loaded_at else "\n"
                    # The ETL adds the time on the way where it corrects a clock.
                    late = received - sent if skew else 0
                    text = "".join(
                        [
                            f"{ids[place]}\t{stamp(time + late)}\t{name}\t{who}\t{products[product]}\t{url}\t"
                            f"{referrer}\t{_ELEMENT_TEXTS[element]}\t{orders.get(place, _NO_ORDER)}\t"
                            f"{tail}\t{place - first}{end}"
                            for place, (time, name, url, referrer, product, element, _) in enumerate(
                                steps[first:last], first
                            )
                        ]
                    )
                    (ready if received < day_end else waiting).append((received, key, text))
            ready.sort()
            for place in range(0, len(ready), 1000):
                yield "".join([entry[2] for entry in ready[place : place + 1000]])
        waiting.sort()
        yield "".join([entry[2] for entry in waiting])

    @cached_property
    def _stamp(self) -> Callable[[int], str]:
        """Formats a time as the ETL does."""
        midnight = self.start // DAY * DAY
        dates = [f"{_moment(midnight + day * DAY):%Y-%m-%dT}" for day in range(self.days + 2)]

        def stamp(time: int) -> str:
            day, rest = divmod(time - midnight, DAY)
            return f"{dates[day]}{_CLOCK[rest // 1000]}{_FRACTIONS[rest % 1000]}"

        return stamp


_NO_ORDER: Final = "\t\t"
_ELEMENT_TEXTS: Final = {"": ""} | {kind: _json(element) for kind, element in _ELEMENTS.items()}
_CLOCK: Final = [f"{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}" for second in range(86_400)]
_FRACTIONS: Final = [f".{fraction:03}000Z" for fraction in range(1000)]


def _who(visit: Visit, state: str, verified: bool) -> str:
    """Return user, login state and identity source as COPY text."""
    if state == LOGGED_IN:
        return f"{visit.user_id}\t{LOGGED_IN}\t{'cognito' if verified else 'local_storage'}"
    return f"\t{state}\t{'form' if state == GUEST else 'local_storage'}"


def _event(day: _Day, visit: Visit, place: int) -> dict[str, object]:
    """Return an event as a browser sends it."""
    time, name, url, referrer, product, element, state = visit.steps[place]
    event: dict[str, object] = {
        "eventName": name,
        "eventId": visit.event_ids[place],
        "eventTimestamp": _iso(_moment(time + visit.skew)),
        "pageUrl": url,
        "referrer": referrer,
        "userLoginState": state,
        "identitySource": "form" if state == GUEST else "local_storage",
        "clientId": visit.client_id,
        "sessionId": visit.session_id,
        "isFirstVisit": visit.first,
    }
    if state == LOGGED_IN:
        event["userId"] = visit.user_id
    if product >= 0:
        known = day.products[product]
        event["product"] = _with_discount(known) if visit.other and "price" in known else known
    if place in visit.orders:
        event["order"] = day.order(visit.orders[place])
    if element:
        event["element"] = _ELEMENTS[element]
    return event
