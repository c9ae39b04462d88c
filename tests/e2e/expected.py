"""What each page must show of a view: plain counts over the rows, and how the dashboard writes them.

The counts are those of tests/support/plain_dashboard.py; none is asked of the dashboard's queries.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.e2e.view import STATES, View
from tests.support import plain_dashboard as plainly
from tests.support.plain_dashboard import Asked, Plain, Rows

Text = Callable[[Any], str]

# --- How values are written ---------------------------------------------------------------------------


def known(text: Text) -> Text:
    return lambda value: "–" if value is None else text(value)  # noqa: RUF001


count = known(lambda value: f"{value:,.0f}")
rate = known(lambda value: f"{100 * value:.1f} %")
state = known(lambda value: STATES[value] if value else "Not said")
# The tests' platform counts in VND, which has no decimals.
money = known(lambda value: f"{value:,.0f} {plainly.CURRENCY}")
moment = known(lambda value: f"{datetime.fromisoformat(value):%d %b %Y %H:%M}")
plain_text: Text = lambda value: "" if value is None else " ".join(str(value).split())  # noqa: E731


@known
def duration(value: Any) -> str:
    left = round(float(value))
    for name, size, smaller, rest in (
        ("day", 86400, "h", 3600),
        ("h", 3600, "min", 60),
        ("min", 60, "s", 1),
    ):
        if left >= size:
            whole, part = left // size, left % size // rest
            plural = "s" if name == "day" and whole > 1 else ""
            return f"{whole} {name}{plural}" + (f" {part} {smaller}" if part else "")
    return f"{left} s"


def shortened(longest: int, text: str) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def page_text(url: str | None) -> str:
    return shortened(60, re.sub("^https?://[^/]+", "", url)) if url else ""


def change(now: float | None, before: float | None, points: bool) -> str:
    """What is said of a number's change, and what it was."""
    if now is None or before is None:
        return "not comparable –"  # noqa: RUF001
    if not points and before == 0 and now > 0:
        return "▲ up new"
    moved = 100 * (now - before) if points else 100 * (now - before) / before if before else 0
    shown = f"{abs(moved):,.1f}"
    word = "= unchanged" if shown == "0.0" else "▲ up" if moved > 0 else "▼ down"
    return f"{word} {shown} {'points' if points else '%'}"


# --- A card -------------------------------------------------------------------------------------------


@dataclass
class Trace:
    """A line or bars: values of a column; `text` is what stands beside them."""

    column: str
    name: str | None = None
    axis: str = "y"
    text: Callable[[dict[str, Any], Rows], str] | None = None
    rows: Rows | None = None


@dataclass
class Card:
    """What a card's download holds, and what of it is drawn or listed."""

    id: str
    rows: Rows
    empty: str = ""
    """What is said where there is nothing."""
    traces: Sequence[Trace] = ()
    columns: dict[str, tuple[str, Text]] = field(default_factory=dict)
    csvs: dict[str, Rows] = field(default_factory=dict)
    page_length: int = 10

    def downloads(self) -> dict[str, Rows]:
        """Output -> rows."""
        return self.csvs or {f"{self.id}-csv": self.rows}


def nothing(rows: Rows, *columns: str) -> bool:
    return not any(row[column] for row in rows for column in columns)


# --- Periods beside each other ------------------------------------------------------------------------


def beside(now: Rows, before: Rows | None, by: str, counts: Sequence[str], rates: Sequence[str] = ()) -> Rows:
    """Rows of both periods by a column: those of now, then what was only before."""
    if before is None:
        return now
    others = {row[by]: row for row in before}
    present = {row[by] for row in now}
    gone = [row for row in before if row[by] not in present]
    empty = dict.fromkeys(counts, 0) | dict.fromkeys(rates)
    rows = []
    for row in [*now, *({**row, **empty} for row in gone)]:
        old = others.get(row[by], empty)
        rows.append(row | {f"previous_{name}": old[name] for name in (*counts, *rates)})
    return rows


def buckets_beside(now: Rows, before: Rows | None, days: timedelta) -> Rows:
    """Both periods' buckets by their place in the period."""
    if before is None:
        return now
    here = {row["bucket"]: row for row in now}
    there = {f"{datetime.fromisoformat(row['bucket']) + days:%Y-%m-%d %H:%M}": row for row in before}
    return [
        {name: here.get(bucket, {}).get(name) for name in now[0]}
        | {f"previous_{name}": there.get(bucket, {}).get(name) for name in now[0]}
        | {"bucket": bucket}
        for bucket in sorted(here.keys() | there.keys())
    ]


class Both:
    """A plain count of a view's period and of the one before."""

    def __init__(self, plain: Plain, view: View) -> None:
        self.plain, self.view = plain, view

    def __call__(self, counted: Callable[[Plain, Asked], Rows], own: str = "") -> tuple[Rows, Rows | None]:
        before = self.view.previous
        now = counted(self.plain, self.view.asked(own))
        return now, counted(self.plain, before.asked(own)) if before else None


def compared(view: View, column: str, text: Callable[..., str] | None = None, axis: str = "y") -> list[Trace]:
    """This period's values, and those of the one before where it is compared."""
    before = [Trace(f"previous_{column}", "Previous period", axis, text)] if view.compare else []
    return [*before, Trace(column, "This period", axis, text)]


# --- Overview -----------------------------------------------------------------------------------------

NUMBERS: dict[str, tuple[Text, bool]] = {
    "revenue": (money, False),
    "orders": (count, False),
    "average_order_value": (money, False),
    "units": (count, False),
    "visitors": (count, False),
    "sessions": (count, False),
    "page_views": (count, False),
    "mean_seconds": (duration, False),
    "conversion_rate": (rate, True),
    "cart_rate": (rate, True),
    "bounce_rate": (rate, True),
}


def numbers(plain: Plain, asked: Asked) -> Rows:
    """The KPIs of a period, in one row."""
    [visits], [orders] = plainly.totals(plain, asked), plainly.order_totals(plain, asked)
    return [visits | {name: value for name, value in orders.items() if name != "value"}]


def overview(plain: Plain, view: View) -> list[Card]:
    both = Both(plain, view)
    now, before = both(numbers)
    periods = [(view, now[0]), *([(view.previous, before[0])] if view.previous and before else [])]
    dated = [
        {"first_day": str(of.period[0]), "last_day": str(of.period[1]), **row} for of, row in periods if of
    ]
    orders = plainly.orders_over_time(plain, view.asked(view.unit))
    visits = plainly.totals_over_time(plain, view.asked(view.unit))
    over_time = [row | of_orders for row, of_orders in zip(visits, orders, strict=True)]

    days = view.period[0] - view.previous.period[0] if view.previous else timedelta()
    revenue = buckets_beside(*both(plainly.orders_over_time, view.unit), days)
    sold = ["orders", *(["previous_orders"] if view.compare else [])]
    events = buckets_beside(*both(plainly.events_by_time, view.unit), days)
    mix = beside(*both(plainly.events_by_name), "event_name", ["events"])
    states = beside(*both(plainly.events_by_login_state), "login_state", ["events"])
    activity = plainly.events_by_weekday(plain, view.asked())
    said = "No events in this period."

    def amount(value: Any) -> str:
        return count(value)

    bars = [
        Trace(one.column, one.name, "x", lambda row, _, column=one.column: amount(row[column]))
        for one in compared(view, "events")
    ]
    return [
        Card(
            "overview-kpis",
            dated,
            csvs={"overview-kpis-csv": dated, "overview-kpis-csv_over_time": over_time},
        ),
        Card(
            "overview-revenue",
            revenue,
            "No order in this period." if nothing(revenue, *sold) else "",
            compared(view, "revenue"),
        ),
        Card(
            "overview-events_over_time",
            events,
            said if nothing(events, *[one.column for one in compared(view, "events")]) else "",
            compared(view, "events"),
        ),
        Card("overview-event_mix", mix, said if not mix else "", [*bars]),
        Card("overview-events_by_login_state", states, said if not states else "", [*bars]),
        Card(
            "overview-activity",
            activity,
            said if nothing(activity, "events") else "",
            [Trace("events", axis="z")],
        ),
    ]


# --- Funnel -------------------------------------------------------------------------------------------

STEPS = {1: "Product view", 2: "Cart", 3: "Checkout", 4: "Purchase"}
STEP_VALUES = ["share", "drop_off", "median_seconds"]


def of_first(row: dict[str, Any], rows: Rows, column: str = "reached") -> str:
    share = (
        "" if row["step"] == 1 else f" ({rate(row[column] / rows[0][column] if rows[0][column] else None)})"
    )
    return f"{count(row[column])}{share}"


def funnel(plain: Plain, view: View) -> list[Card]:
    by, split = view.params.get("by", "session"), view.params.get("split", "login_state")
    counted = plainly.funnel_sessions if by == "session" else plainly.funnel_visitors
    now, before = Both(plain, view)(counted)
    steps = beside(now, before, "step", ["reached"], STEP_VALUES)
    steps = [row | {"name": STEPS[row["step"]]} for row in sorted(steps, key=lambda row: row["step"])]

    parts = [
        row
        | {
            "name": STEPS[row["step"]],
            "value_name": state(row["value"]) if split == "login_state" else row["value"],
        }
        for row in counted(plain, view.asked(split))
    ]
    unit = "Sessions" if by == "session" else "Visitors"
    losses: dict[str, tuple[str, Text]] = {
        "Step": ("name", plain_text),
        unit: ("reached", count),
        "Lost": ("drop_off", rate),
    }
    if view.compare:
        losses["Lost before"] = ("previous_drop_off", rate)
    said = "No product was viewed in this period."
    first = list(dict.fromkeys(row["value"] for row in parts))[:5]
    shares = [
        Trace(
            "share",
            shortened(24, next(row["value_name"] for row in parts if row["value"] == value)),
            text=lambda row, _: rate(row["share"]),
            rows=[row for row in parts if row["value"] == value and row["step"] > 1],
        )
        for value in first
    ]
    return [
        Card(
            "funnel-steps",
            steps,
            said if not steps else "",
            [
                Trace(
                    one.column,
                    one.name,
                    "x",
                    lambda row, rows, column=one.column: of_first(row, rows, column),
                )
                for one in compared(view, "reached")
            ],
        ),
        Card(
            "funnel-losses",
            steps,
            said if not steps else "",
            columns={**losses, "Time": ("median_seconds", duration)},
        ),
        Card("funnel-parts-shares", parts, said if not parts else "", shares),
        Card(
            "funnel-parts-table",
            wide(parts),
            said if not parts else "",
            columns={
                {"login_state": "Login state", "category": "Category", "brand": "Brand"}[split]: (
                    "value_name",
                    plain_text,
                ),
                "Viewed": ("views", count),
                "Cart": ("carts", count),
                "Rate": ("cart_rate", rate),
                "Checkout": ("checkouts", count),
                "Rate ": ("checkout_rate", rate),
                "Bought": ("purchases", count),
                "Rate  ": ("purchase_rate", rate),
                "Of viewed": ("overall_rate", rate),
                "Time to cart": ("cart_seconds", duration),
            },
        ),
    ]


def wide(parts: Rows) -> Rows:
    """Four rows of steps made one of a value."""
    rows = []
    for first, cart, checkout, purchase in zip(*[iter(parts)] * 4, strict=True):
        row = {"value": first["value"], "value_name": first["value_name"], "views": first["reached"]}
        for step, counts, stem in (
            (cart, "carts", "cart"),
            (checkout, "checkouts", "checkout"),
            (purchase, "purchases", "purchase"),
        ):
            lost = step["drop_off"]
            row |= {
                counts: step["reached"],
                f"{stem}_rate": None if lost is None else 1 - lost,
                f"{stem}_seconds": step["median_seconds"],
            }
        rows.append(row | {"overall_rate": purchase["share"]})
    return rows


# --- Products -----------------------------------------------------------------------------------------


def products(plain: Plain, view: View) -> list[Card]:
    level, by, chosen = (
        view.params.get("level", "product"),
        view.params.get("by", "views"),
        view.params.get("product", ""),
    )
    rates = ["view_to_cart", "cart_to_buy"]
    counts = ["views", "carts", "purchases", "revenue"]
    rows = beside(*Both(plain, view)(plainly.products, level), "key", counts, rates)
    rows = [row | {"name": row["name"] or "Not said"} for row in rows]

    least = {"view_to_cart": ("views", 10), "cart_to_buy": ("carts", 5)}.get(by, (by, 1))
    top = sorted(
        (row for row in rows if row[least[0]] >= least[1] and row[by] is not None),
        key=lambda row: (-row[by], row["name"].casefold()),
    )[:15]
    every = plainly.products(plain, view.asked("product"))
    viewed = [row | {"discount": row["discount"] or 0} for row in every if row["views"] >= 10]
    named = ("key", "name", "price", "discount_price", "discount", "views", "view_to_cart", "currency")
    discounts = [{name: row[name] for name in named} for row in viewed[:500]]
    trend = plainly.product_trend(plain, view.asked(chosen)) if chosen else []
    text = rate if by in rates else money if by == "revenue" else count
    return [
        Card(
            "products-top",
            top,
            "Nothing to rank in this period." if not top else "",
            [
                Trace(one.column, one.name, "x", lambda row, _, column=one.column: text(row[column]))
                for one in compared(view, by)
            ],
        ),
        Card(
            "products-discount",
            discounts,
            "No product has 10 views in this period." if not discounts else "",
            [Trace("discount", axis="x"), Trace("view_to_cart", axis="y")],
        ),
        Card(
            "products-table",
            rows,
            "Nothing was looked at in this period." if not rows else "",
            columns={
                {"product": "Product", "category": "Category", "brand": "Brand"}[level]: ("name", plain_text),
                **(
                    {"Category": ("category", plain_text), "Brand": ("brand", plain_text)}
                    if level == "product"
                    else {"Products": ("products", count)}
                ),
                "Revenue (VND)": ("revenue", count),
                "Views": ("views", count),
                **({"Views before": ("previous_views", count)} if view.compare else {}),
                "Carts": ("carts", count),
                "Purchases": ("purchases", count),
                "View to cart": ("view_to_cart", rate),
                "Cart to buy": ("cart_to_buy", rate),
                "Price (VND)": ("price", count),
                "Discount price (VND)": ("discount_price", count),
                "Discount": ("discount", rate),
            },
        ),
        Card(
            "products-trend-days",
            trend,
            "Choose a product in the table above. If one is chosen, nothing happened to it in this period."
            if nothing(trend, "views", "carts", "purchases")
            else "",
            [Trace("views", "Views"), Trace("carts", "Carts"), Trace("purchases", "Purchases")],
        ),
    ]


# --- Sessions -----------------------------------------------------------------------------------------


def of_all(column: str) -> Callable[[dict[str, Any], Rows], str]:
    def text(row: dict[str, Any], rows: Rows) -> str:
        total = sum(one[column] for one in rows)
        return f"{count(row[column])} ({rate(row[column] / max(total, 1))})"

    return text


def sessions(plain: Plain, view: View) -> list[Card]:
    both = Both(plain, view)
    by_time = plainly.sessions_by_time(plain, view.asked(view.unit))
    said = "No session began in this period."
    cards = [
        Card(
            "sessions-by_time",
            by_time,
            said if nothing(by_time, "new_sessions", "returning_sessions") else "",
            [Trace("new_sessions", "New"), Trace("returning_sessions", "Returning")],
        )
    ]
    for name, counted in (("lengths", plainly.session_lengths), ("depths", plainly.session_depths)):
        rows = beside(*both(counted), "position", ["sessions"])
        columns = [one.column for one in compared(view, "sessions")]
        traces = [Trace(one.column, one.name, "x", of_all(one.column)) for one in compared(view, "sessions")]
        cards.append(Card(f"sessions-{name}", rows, said if nothing(rows, *columns) else "", traces))
    recent = [
        row
        | {
            "session": f"{row['visitor']}@{row['started_at']}",
            "kind": "new" if row["is_new"] else "returning",
        }
        for row in plainly.recent_sessions(plain, view.asked())
    ]
    timeline = session_events(plain, view)
    return [
        *cards,
        Card(
            "sessions-recent",
            recent,
            said if not recent else "",
            columns={
                "Began": ("started", moment),
                "Length": ("seconds", duration),
                "Events": ("events", count),
                "Page views": ("page_views", count),
                "Login state": ("login_state", state),
                "Visitor": ("kind", plain_text),
                "First page": ("first_page", page_text),
                "Client": ("client_id", lambda value: shortened(14, value or "")),
            },
        ),
        Card(
            "sessions-timeline-events",
            timeline,
            "Choose a session in the table above. If one is chosen, its events are gone."
            if not timeline
            else "",
            columns={
                "Time": ("at", lambda value: value[11:]),
                "After": ("seconds", duration),
                "Event": ("event_name", plain_text),
                "Page": ("page_url", page_text),
                "Product": ("product", plain_text),
                "Element": ("element", plain_text),
                "Login state": ("login_state", state),
            },
            page_length=25,
        ),
    ]


def session_events(plain: Plain, view: View) -> Rows:
    """The chosen session's events, in the order of time."""
    visitor, _, start = view.params.get("session", "").partition("@")
    if not start:
        return []
    [session] = [
        one for one in plain.all_sessions if one.key == (int(visitor), datetime.fromisoformat(start))
    ]
    return [
        row | {"product": row["product_name"] or row["product_id"]}
        for row in plainly.session_timeline(plain, session)
    ]


# --- Data quality -------------------------------------------------------------------------------------


def quality(plain: Plain, view: View) -> list[Card]:
    asked = view.asked()
    loads = plainly.loads_by_day(plain, asked)
    lag = [row | {"all": row["events"] + row["bots"]} for row in plainly.load_lag(plain, asked)]
    runs = plainly.runs_by_day(plain, asked)
    rejected = plainly.rejected_by_reason(plain, asked)
    no_events = "No events in this period."
    return [
        Card(
            "quality-loads",
            loads,
            no_events if nothing(loads, "events", "bots") else "",
            [Trace("events", "People"), Trace("bots", "Bots")],
        ),
        Card(
            "quality-lag",
            lag,
            no_events if nothing(lag, "all") else "",
            [Trace("all", "This period", "x", of_all("all"))],
        ),
        Card(
            "quality-runs",
            runs,
            "No run of the ETL began in this period." if nothing(runs, "runs") else "",
            [Trace("duplicates", "Duplicates"), Trace("rejected", "Rejected")],
        ),
        Card(
            "quality-rejected",
            rejected,
            "No event was rejected in this period." if not rejected else "",
            columns={
                "Code": ("code", plain_text),
                "Events": ("events", count),
                "Newest reason": ("reason", plain_text),
                "Last": ("last_rejected", moment),
            },
        ),
        Card(
            "quality-refused",
            runs,
            "No run of the ETL of this period heard of refused events."
            if nothing(runs, "refused_kept", "refused_not_kept")
            else "",
            [Trace("refused_kept", "Kept"), Trace("refused_not_kept", "Not kept")],
        ),
        Card(
            "quality-findings",
            findings := plainly.data_findings(plain, asked),
            "" if findings else "Nothing that this page looks for was found.",
            columns={
                "What": ("label", plain_text),
                "Found": ("found", count),
                "Example": ("example", plain_text),
            },
        ),
        Card(
            "quality-folded",
            folded := plainly.folded_labels(plain, asked),
            "" if folded else "No day of this period met its limit of new names.",
            columns={
                "What": ("label", plain_text),
                "Events": ("events", count),
                "Senders": ("senders", count),
            },
        ),
        Card(
            "quality-etl_runs",
            plainly.etl_runs(plain),
            columns={
                "Began": ("started", moment),
                "Took": ("seconds", duration),
                "Status": ("status", plain_text),
                "Loaded": ("loaded", count),
                "Duplicates": ("duplicates", count),
                "Rejected": ("rejected", count),
                "Objects read": ("objects_read", count),
                "Failed": ("objects_failed", count),
                "Left": ("objects_left", count),
            },
        ),
        Card(
            "quality-waiting-failures",
            plainly.object_failures(plain),
            columns={
                "Object": ("object_key", plain_text),
                "Attempts": ("attempts", count),
                "Error": ("error", plain_text),
                "First": ("first_failed", moment),
                "Last": ("last_failed", moment),
            },
        ),
    ]


PAGES: dict[str, Callable[[Plain, View], list[Card]]] = {
    "overview": overview,
    "funnel": funnel,
    "products": products,
    "sessions": sessions,
    "quality": quality,
}
