"""What www/app.js and www/style.css do to the insides of Shiny and plotly, as a browser sees it.

A failure after an upgrade says what to do. The libraries' files are read by
tests/unit/dashboard/test-library-internals.R.
"""

from __future__ import annotations

from tests.e2e.dashboard import eventually, person
from tests.e2e.view import View
from tests.support.browser import Browser

SELECTORS = """() => [...document.styleSheets].flatMap(
    sheet => [...sheet.cssRules].map(rule => rule.selectorText ?? ""))"""
CHARTS = ".js-plotly-plot:visible"
DRAWN_SIZES = """charts => charts.map(chart =>
    [chart._fullLayout?.width - chart.clientWidth, chart._fullLayout?.height - chart.clientHeight])"""


def test_styles_that_look_at_the_whole_page_are_replaced(chromium: Browser, url: str) -> None:
    with person(chromium, url) as dashboard:
        dashboard.open(View())
        selectors: list[str] = dashboard.page.evaluate(SELECTORS)
        slow = [selector for selector in selectors if ":has(> *)" in selector]
        assert slow == [], "www/app.js: its loop over document.styleSheets does not reach these any more"
        assert any(".recalculating" in one and ":not(:empty)" in one for one in selectors), (
            "Shiny has no such rule any more: delete the loop over document.styleSheets in www/app.js"
        )


def test_a_chart_is_drawn_again_in_a_new_size_and_only_where_it_is_seen(chromium: Browser, url: str) -> None:
    with person(chromium, url) as dashboard:
        dashboard.open(View())
        page = dashboard.page

        def drawn_in_their_places() -> None:
            sizes = page.locator(CHARTS).evaluate_all(DRAWN_SIZES)
            assert len(sizes) == 5
            assert all(abs(difference) < 1 for size in sizes for difference in size), (
                "www/app.js: plotly keeps a chart's size elsewhere than in _fullLayout, or resizes otherwise"
            )

        eventually(drawn_in_their_places)
        page.set_viewport_size({"width": 1000, "height": 900})
        eventually(drawn_in_their_places)
        page.click("a.nav-link[data-value='funnel']")
        dashboard.settled(View("funnel"))
        assert page.locator("#overview .js-plotly-plot, [id^=overview-].js-plotly-plot").evaluate_all(
            "charts => charts.length && charts.every(chart => getComputedStyle(chart).display === 'none')"
        ), "www/style.css: charts of hidden pages are not in .tab-pane:not(.active) any more"
