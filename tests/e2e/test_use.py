"""The dashboard as people use it: shared links, downloads, a keyboard, a phone, a database that is away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from tests.e2e.checks import check
from tests.e2e.dashboard import Dashboard, eventually, person, read_csv
from tests.e2e.expected import PAGES
from tests.e2e.view import LONG_AGO, TWO_WEEKS, View
from tests.e2e.warehouse import Warehouse
from tests.support.browser import Browser
from tests.support.deployment import on_host
from tests.support.plain_dashboard import Plain

NOTICED = 60_000
"""Milliseconds in which an open page sees what is new: it looks every dashboard_refresh_seconds."""

# --- URL ----------------------------------------------------------------------------------------------


def test_a_view_can_be_shared_and_gone_back_from(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        dashboard.open(View())
        dashboard.choose("period", "30")
        dashboard.page.check("#filters-compare")
        dashboard.choose("login_state", "guest")
        dashboard.choose("category", "laptop")
        dashboard.choose("brand", "Dell")
        chosen = View(days=30, compare=True, login_state="guest", category="laptop", brand="Dell")
        eventually(lambda: says(dashboard, chosen))
        dashboard.page.click("a.nav-link[data-value='funnel']")
        dashboard.page.select_option("#funnel-by", "visitor")
        dashboard.page.select_option("#funnel-split", "brand")
        shared = replace(chosen, page="funnel", params={"by": "visitor", "split": "brand"})
        eventually(lambda: says(dashboard, shared))

        with person(chromium, url) as other:
            other.visit(dashboard.query())
            check(other, plain, shared)
            for name, value in {
                "period": "30",
                "login_state": "guest",
                "category": "laptop",
                "brand": "Dell",
            }.items():
                assert other.page.input_value(f"#filters-{name}") == value
            assert other.page.is_checked("#filters-compare")

        # Two choices on the page, the way to it, and the last filter: each a step back.
        for _ in range(4):
            dashboard.page.go_back()
        before = replace(chosen, brand="")
        eventually(lambda: says(dashboard, before))
        check(dashboard, plain, before)


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
        dashboard.visit(nonsense)
        dashboard.settled(View())
        assert dashboard.page.is_visible("#overview-kpis-sessions_value")
        eventually(lambda: says(dashboard, View()))
        for name in ("login_state", "category", "brand"):
            assert dashboard.page.input_value(f"#filters-{name}") == ""


def says(dashboard: Dashboard, view: View) -> None:
    assert dashboard.query() == view.query


# --- Downloads ----------------------------------------------------------------------------------------


def test_a_download_has_a_name_and_opens_in_a_spreadsheet(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        view = View("products", params={"product": "of-today"})
        dashboard.open(view)
        with dashboard.page.expect_download() as started:
            dashboard.page.click("#products-table-csv")
        download = started.value
        assert download.suggested_filename == "products-table-{}-to-{}.csv".format(*view.period)
        content = download.path().read_bytes()
        assert content.startswith(b"\xef\xbb\xbf"), "letters are told to be UTF-8"
        names = [row["name"] for row in read_csv(content)]
        assert "'=1+1 <b>Bàn phím</b>" in names, "no spreadsheet takes a name for a formula"
        check(dashboard, plain, view)
        dashboard.page.fill("#products-table-table input[type=search]", "=1+1")
        eventually(lambda: has_text(dashboard, "#products-table-table tbody", "=1+1 <b>Bàn phím</b>"))


def has_text(dashboard: Dashboard, selector: str, text: str) -> None:
    assert text in dashboard.text(selector), "shown as it is, and not as HTML"


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
                "#heading-freshness .alert:has-text('Nothing has been loaded for 3 h')", timeout=NOTICED
            )
        finally:
            for run, at in finished:
                warehouse.execute("UPDATE etl_runs SET finished_at = %s WHERE run_id = %s", (at, run))
            warehouse.execute(f"UPDATE etl_runs SET chunks = chunks - 1 WHERE run_id = {last}")  # noqa: S608


AWAY = "The database does not answer. The page tries again by itself."


@contextmanager
def stopped_database(warehouse: Warehouse) -> Iterator[None]:
    """PostgreSQL on the host, stopped and started again."""
    warehouse.close()
    try:
        assert on_host("systemctl stop postgresql@18-main").returncode == 0
        yield
    finally:
        assert on_host("systemctl start postgresql@18-main").returncode == 0


def test_a_stopped_database_is_said_plainly_and_the_page_recovers_by_itself(
    chromium: Browser, url: str, plain: Plain, warehouse: Warehouse
) -> None:
    view = View(**TWO_WEEKS)
    warned = f"#heading-freshness .alert:has-text('{AWAY}')"
    with person(chromium, url) as dashboard, person(chromium, url) as newcomer:
        dashboard.open(view)
        check(dashboard, plain, view)
        with stopped_database(warehouse):
            dashboard.page.wait_for_selector(warned, timeout=NOTICED)
            # somebody who comes now is told too
            newcomer.visit(view.query)
            newcomer.page.wait_for_selector(warned)
            for card in PAGES["overview"](plain, view):
                if card.traces:
                    eventually(lambda card=card: is_away(dashboard, card.id))
                    eventually(lambda card=card: is_away(newcomer, card.id))
            assert newcomer.text("#overview-kpis-problem") == AWAY
        for page in (dashboard, newcomer):
            check(page, plain, view)
            assert not page.page.locator(warned).count()


def is_away(dashboard: Dashboard, card: str) -> None:
    assert dashboard.message(card, "chart") == AWAY, card


# --- Keyboard -----------------------------------------------------------------------------------------


def test_a_keyboard_is_enough(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        keyboard = dashboard.page.keyboard
        view = View(days=30)
        dashboard.open(view)
        dashboard.tab_to("a.skip[href='#filters-period']", 2)
        assert dashboard.page.is_visible("a.skip[href='#filters-period']"), "it is seen where it is"
        keyboard.press("Enter")
        dashboard.tab_to("#filters-compare", 3)
        keyboard.press("Space")
        view = replace(view, compare=True)
        dashboard.settled(view)
        dashboard.tab_to("#filters-login_state", 1)
        keyboard.press("ArrowDown")
        keyboard.press("ArrowDown")  # past those whose state a token proved
        view = replace(view, login_state="logged_in")
        check(dashboard, plain, view)

        dashboard.tab_to("a.nav-link[data-value='sessions']")
        keyboard.press("Enter")
        view = replace(view, page="sessions")
        check(dashboard, plain, view)
        dashboard.tab_to("#sessions-recent-table button.choose")
        keyboard.press("Enter")
        eventually(lambda: is_on(dashboard, "#sessions-timeline-place"))
        # A visitor's number may begin with a minus, which a spreadsheet would take for a formula.
        session = dashboard.csv("sessions-recent-csv")[0]["session"].removeprefix("'")
        check(dashboard, plain, replace(view, params={"session": session}))


def is_on(dashboard: Dashboard, selector: str) -> None:
    assert dashboard.focused(selector), "the keyboard is led there"


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
        dashboard.page.set_viewport_size({"width": 844, "height": 390})
        eventually(lambda: charts_are_drawn(dashboard, page))
        assert dashboard.overflow() <= 0


def charts_are_drawn(dashboard: Dashboard, page: str) -> None:
    """Each as wide as its place."""
    fits = """charts => charts.every(chart => Math.abs(
        chart.querySelector(".main-svg").getBoundingClientRect().width - chart.clientWidth) <= 1)"""
    drawn = dashboard.page.locator(f"[id^={page}-].js-plotly-plot")
    assert drawn.count()
    assert drawn.evaluate_all(fits)
