"""The dashboard as a person sees it: headless Chromium, the real Shiny Server, a known shop.

Every number that a page shows is compared with a plain count over the rows (expected.py), in charts, tables,
boxes and downloads alike.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.dashboard import Dashboard, eventually, read_csv
from tests.e2e.expected import NUMBERS, PAGES, Card, Trace, change
from tests.e2e.view import View
from tests.e2e.warehouse import TODAY, Warehouse
from tests.integration.test_dashboard_queries import Plain, totals
from tests.support.browser import Browser, tab

LAST = TODAY - timedelta(days=2)
FOUR_WEEKS = {"first": LAST - timedelta(days=27), "last": LAST}
TWO_WEEKS = {"first": LAST - timedelta(days=13), "last": LAST}
LONG_AGO = {"first": TODAY - timedelta(days=3000), "last": TODAY - timedelta(days=2990)}


@contextmanager
def person(chromium: Browser, url: str, **size: int) -> Iterator[Dashboard]:
    """Somebody who was never here; nothing may have gone wrong in their browser."""
    with tab(chromium, **size) as (page, errors):
        yield Dashboard(page, url)
        assert errors == []


# --- Numbers ------------------------------------------------------------------------------------------


def check(dashboard: Dashboard, plain: Plain, view: View) -> None:
    """Compare all that the page shows of a view with a plain count."""
    dashboard.settled(view)
    for card in PAGES[view.page](plain, view):
        eventually(lambda card=card: check_card(dashboard, card))
    if view.page == "overview":
        eventually(lambda: check_numbers(dashboard, plain, view))


def check_card(dashboard: Dashboard, card: Card) -> None:
    for output, rows in card.downloads().items():
        check_rows(dashboard.csv(output), rows, output)
    for kind, drawn in (("chart", card.traces), ("table", card.columns)):
        if drawn and card.empty:
            assert dashboard.message(card.id, kind) == card.empty, card.id
        elif drawn:
            assert dashboard.message(card.id, kind) == "", card.id
    if card.traces and not card.empty:
        check_chart(dashboard.chart(card.id), card)
    if card.columns and not card.empty:
        rows = card.rows[: card.page_length]
        cells = [[text(row[column]) for column, text in card.columns.values()] for row in rows]
        assert dashboard.table(card.id) == [[heading.strip() for heading in card.columns], *cells], card.id


def check_rows(found: list[dict[str, str]], expected: list[dict[str, Any]], output: str) -> None:
    """Every column of every row of a download."""
    assert len(found) == len(expected), f"{output}: {len(found)} rows, not {len(expected)}"
    for number, (row, values) in enumerate(zip(found, expected, strict=True)):
        assert row.keys() == values.keys(), f"{output}: {sorted(row.keys() ^ values.keys())}"
        wrong = {
            name: (row[name], value) for name, value in values.items() if not is_written(row[name], value)
        }
        assert not wrong, f"{output}, row {number}: (found, expected) {wrong}"


def is_written(text: str, value: Any) -> bool:
    if value is None:
        return text == ""
    if isinstance(value, bool):
        return text == str(value).upper()
    if isinstance(value, int | float):
        return text != "" and abs(float(text) - float(value)) <= 1e-6 + 1e-9 * abs(float(value))
    # What a spreadsheet would take for a formula has a mark before it.
    return text == ("'" if value[:1] in ("=", "+", "@", "-", "\t", "\r") else "") + value


def check_chart(found: list[dict[str, Any]], card: Card) -> None:
    names = [trace.name for trace in card.traces if trace.name]
    assert [trace["name"] for trace in found if names] == names, card.id
    for trace, shown in zip(card.traces, found if names else found * len(card.traces), strict=True):
        check_trace(shown, trace, trace.rows or card.rows, card.id)


def check_trace(shown: dict[str, Any], trace: Trace, rows: list[dict[str, Any]], card: str) -> None:
    values = shown[trace.axis]
    if trace.axis == "z":
        values = [value for line in values for value in line]
    if trace.axis == "x" and trace.text:
        rows = rows[:20]  # as many bars as can be told apart
    expected = [row[trace.column] for row in rows]
    written = [
        is_written("" if one is None else str(one), two) for one, two in zip(values, expected, strict=True)
    ]
    assert all(written), f"{card} {trace.name}: {values}, not {expected}"
    if trace.text:
        assert shown["text"] == [trace.text(row, rows) for row in rows], card


def check_numbers(dashboard: Dashboard, plain: Plain, view: View) -> None:
    """The boxes: number, change, and what the line beside them says to who cannot see it."""
    [now] = totals(plain, view.asked())
    before = totals(plain, view.previous.asked())[0] if view.previous else None
    for name, (text, points) in NUMBERS.items():
        box = f"#overview-numbers-{name}_"
        assert dashboard.text(f"{box}value") == text(now[name]), name
        said = f"{change(now[name], before[name], points)} from {text(before[name])}" if before else ""
        assert dashboard.text(f"{box}change") == said, name


CHOICES: dict[str, list[dict[str, Any]]] = {
    "overview": [{}],
    "funnel": [{"by": "visitor", "split": "category"}, {"by": "visitor", "split": "brand"}],
    "products": [{"level": "category", "by": "carts"}, {"level": "brand", "by": "view_to_cart"}],
    "sessions": [{}],
    "quality": [{}],
}
"""What a page asks besides the filters, for some of the views."""


@pytest.mark.parametrize("page", PAGES)
def test_every_number_of_a_page_is_what_a_plain_count_gives(
    page: str, chromium: Browser, url: str, plain: Plain
) -> None:
    with person(chromium, url) as dashboard:
        view = View(page, compare=True, **FOUR_WEEKS)
        dashboard.open(view)
        check(dashboard, plain, view)

        view = replace(view, login_state="guest")
        dashboard.choose("login_state", "guest")
        check(dashboard, plain, view)

        view = replace(view, login_state="", category="laptop")
        dashboard.choose("login_state", "")
        dashboard.choose("category", "laptop")
        check(dashboard, plain, view)

        view = replace(view, brand="Dell", compare=False)
        dashboard.choose("brand", "Dell")
        dashboard.page.uncheck("#filters-compare")
        check(dashboard, plain, view)

        for own in CHOICES[page]:
            view = View(page, days=30, compare="level" in own, own=own)
            dashboard.open(view)
            check(dashboard, plain, view)


def test_every_period_is_counted_to_this_hour(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        dashboard.open(View())
        for days in (1, 7, 90, 365, 30):
            dashboard.choose("period", str(days))
            check(dashboard, plain, View(days=days))
        dashboard.choose("period", "custom")
        dashboard.page.fill("#filters-from", str(LAST - timedelta(days=1)))
        dashboard.page.fill("#filters-to", str(LAST))
        check(dashboard, plain, View(first=LAST - timedelta(days=1), last=LAST))


# --- Choosing in a page -------------------------------------------------------------------------------


def test_a_product_shows_its_days_and_a_category_its_page(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        page, view = dashboard.page, View("products", **FOUR_WEEKS)
        dashboard.open(view)
        page.fill("#products-table-table input[type=search]", "Razer")
        rows = eventually(lambda: only_of(dashboard, "Razer"))
        page.click("#products-table-table button.choose >> nth=0")
        [product] = {row["key"] for row in dashboard.csv("products-table-csv") if row["name"] == rows[0][0]}
        eventually(lambda: check_rest(dashboard, plain, replace(view, own={"product": product})))
        assert page.evaluate("document.activeElement.id") == "products-trend-place", (
            "the keyboard is led there"
        )

        page.select_option("#products-level", "category")
        page.click("#products-table-table button.choose >> text=monitor")
        dashboard.settled(replace(view, category="monitor"))
        assert page.input_value("#filters-category") == "monitor"


def only_of(dashboard: Dashboard, brand: str) -> list[list[str]]:
    heading, *rows = dashboard.table("products-table")
    assert {row[heading.index("Brand")] for row in rows} == {brand}
    return rows


def check_rest(dashboard: Dashboard, plain: Plain, view: View) -> None:
    """The last card alone."""
    card = PAGES[view.page](plain, view)[-1]
    assert card.rows
    check_card(dashboard, card)


# --- URL ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "nonsense",
    [
        "?page=no&period=8&compare=yes&state=king&category=nothing&brand=%FF",
        "?page=overview&period=custom&from=2025-13-45&to=x&category=%3Cscript%3Ealert(1)%3C/script%3E&brand=%00",
        "?page=overview&page=funnel&period=&from&&=&%%%&state=guest%27%20OR%201=1",
    ],
)
def test_a_url_of_nonsense_gives_the_defaults(nonsense: str, chromium: Browser, url: str) -> None:
    with person(chromium, url) as dashboard:
        dashboard.page.goto(url + nonsense)
        dashboard.settled(View())
        assert dashboard.page.is_visible("#overview-numbers-sessions_value")
        eventually(lambda: is_default_url(dashboard))
        for name in ("login_state", "category", "brand"):
            assert dashboard.page.input_value(f"#filters-{name}") == ""


def is_default_url(dashboard: Dashboard) -> None:
    assert dashboard.page.evaluate("window.location.search") == View().query


# --- Downloads ----------------------------------------------------------------------------------------


def test_a_download_has_a_name_and_opens_in_a_spreadsheet(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        view = View("products", days=1, own={"product": "of-today"})
        dashboard.open(view)
        with dashboard.page.expect_download() as started:
            dashboard.page.click("#products-table-csv")
        download = started.value
        assert download.suggested_filename == f"products-table-{view.period[0]}.csv"
        content = download.path().read_bytes()
        assert content.startswith(b"\xef\xbb\xbf"), "letters are told to be UTF-8"
        names = [row["name"] for row in read_csv(content)]
        assert "'=1+1 <b>Bàn phím</b>" in names, "no spreadsheet takes a name for a formula"
        assert "=1+1 <b>Bàn phím</b>" in dashboard.text("#products-table-table"), "nor the page one for HTML"
        check(dashboard, plain, view)


# --- Nothing there, and nothing new -------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES)
def test_an_empty_range_says_so(page: str, chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        view = View(page, compare=page == "overview", **LONG_AGO)
        dashboard.open(view)
        check(dashboard, plain, view)
        assert all(card.empty for card in PAGES[page](plain, view) if card.traces), "there is nothing"


def test_a_load_shows_on_an_open_page_and_old_numbers_are_warned_of(
    chromium: Browser, url: str, warehouse: Warehouse
) -> None:
    last = "(SELECT max(run_id) FROM etl_runs)"
    finished = warehouse.execute("SELECT run_id, finished_at FROM etl_runs WHERE finished_at IS NOT NULL")
    with person(chromium, url) as dashboard:
        dashboard.open(View())
        assert not dashboard.page.locator("#heading-freshness .alert").count()
        try:
            warehouse.execute("UPDATE etl_runs SET finished_at = finished_at - interval '3 hours'")
            warehouse.execute(f"UPDATE etl_runs SET chunks = chunks + 1 WHERE run_id = {last}")  # noqa: S608
            dashboard.page.wait_for_selector(
                "#heading-freshness .alert:has-text('Nothing has been loaded for 3 h')"
            )
        finally:
            for run, at in finished:
                warehouse.execute("UPDATE etl_runs SET finished_at = %s WHERE run_id = %s", (at, run))
            warehouse.execute(f"UPDATE etl_runs SET chunks = chunks - 1 WHERE run_id = {last}")  # noqa: S608


# --- Phone --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["overview", "funnel", "products"])
def test_a_phone_shows_all_of_it_and_its_filters(page: str, chromium: Browser, url: str) -> None:
    with person(chromium, url, width=390, height=844) as dashboard:
        view = View(page, **TWO_WEEKS)
        dashboard.open(view)
        eventually(lambda: charts_are_drawn(dashboard, page))
        assert dashboard.overflow() <= 0, "nothing has to be scrolled sideways"
        assert not dashboard.page.is_visible("#filters-login_state")
        dashboard.page.click(".collapse-toggle:visible")
        dashboard.choose("login_state", "guest")
        dashboard.settled(replace(view, login_state="guest"))
        assert dashboard.overflow() <= 0


def charts_are_drawn(dashboard: Dashboard, page: str) -> None:
    wide = "nodes => nodes.every(node => node.getBoundingClientRect().width <= 390)"
    drawn = dashboard.page.locator(f"[id^={page}-] .main-svg")
    assert drawn.count() or page == "none"
    assert drawn.evaluate_all(wide)
