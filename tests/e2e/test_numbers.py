"""Every number that a person sees in Chromium, on the real Shiny Server, is what a plain count gives."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.e2e.checks import check, check_card
from tests.e2e.dashboard import Dashboard, eventually, person
from tests.e2e.expected import PAGES
from tests.e2e.view import FOUR_WEEKS, LAST, View
from tests.support.browser import Browser
from tests.support.plain_dashboard import Plain

CHOICES: dict[str, list[dict[str, Any]]] = {
    "overview": [{}],
    "funnel": [{"by": "visitor", "split": "category"}, {"by": "visitor", "split": "brand"}],
    "products": [
        {"level": "category", "by": "carts"},
        {"level": "brand", "by": "view_to_cart"},
        {"by": "revenue"},
    ],
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

        for params in CHOICES[page]:
            view = View(page, days=30, compare=page == "products", params=params)
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


def test_a_product_shows_its_days_and_a_category_its_page(chromium: Browser, url: str, plain: Plain) -> None:
    with person(chromium, url) as dashboard:
        page, view = dashboard.page, View("products", **FOUR_WEEKS)
        dashboard.open(view)
        page.fill("#products-table-table input[type=search]", "Razer")
        rows = eventually(lambda: only_of(dashboard, "Razer"))
        page.click("#products-table-table button.choose >> nth=0")
        [product] = {row["key"] for row in dashboard.csv("products-table-csv") if row["name"] == rows[0][0]}
        eventually(lambda: check_rest(dashboard, plain, replace(view, params={"product": product})))
        assert dashboard.focused("#products-trend-place"), "the keyboard is led there"

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
