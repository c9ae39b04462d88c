"""The dashboard's page in a browser: what is chosen, and what is read off it."""

from __future__ import annotations

import csv
import io
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urljoin

from playwright.sync_api import Page

from tests.e2e.view import View
from tests.support.browser import Browser, load, network_changed, tab

LIMIT = 60.0
"""Seconds that anything may take on a busy machine."""

STATE = """() => ({
    heading: document.getElementById("heading-title")?.textContent,
    connected: Boolean(window.Shiny?.shinyapp?.isConnected?.()),
    busy: document.documentElement.classList.contains("shiny-busy"),
    waiting: [...document.querySelectorAll(".recalculating")].filter((one) => one.offsetParent !== null)
        .map((one) => one.id),
})"""
TRACES = """(id) => (document.getElementById(id).data || []).map(
    ({name, x, y, z, text}) => ({name, x, y, z, text})
)"""
ROWS = """(table) => [...table.querySelectorAll("tbody tr")].map(
    (row) => [...row.cells].map((cell) => cell.innerText)
)"""


def eventually(check: Callable[[], Any], limit: float = LIMIT) -> Any:
    """Return what a check gives once it does not fail any more; fail as it does after the limit.

    Of a half-drawn page a check may also say that it cannot read it.
    """
    until = time.monotonic() + limit
    while True:
        try:
            return check()
        except (AssertionError, TypeError, ValueError):
            if time.monotonic() > until:
                raise
            time.sleep(0.1)


class Dashboard:
    """A person's page."""

    def __init__(self, page: Page, url: str, errors: list[str]) -> None:
        self.page, self.url, self.errors = page, url, errors
        page.set_default_timeout(LIMIT * 1000)

    def visit(self, query: str) -> None:
        """Go to a query string."""
        load(self.page, self.errors, self.url + query)

    def open(self, view: View) -> None:
        """Open a view by its URL."""
        self.visit(view.query)

        def check() -> None:
            if network_changed(self.errors):
                self.visit(view.query)
            self._shows(view)

        eventually(check)

    def settled(self, view: View) -> None:
        """Wait until the page shows a view."""
        eventually(lambda: self._shows(view))

    def _shows(self, view: View) -> None:
        state = self.page.evaluate(STATE)
        shown = {"heading": view.heading, "connected": True, "busy": False, "waiting": []}
        assert state == shown, f"not settled: {state}; the browser says: {self.errors}"

    def choose(self, name: str, value: str) -> None:
        """Choose a filter's value."""
        self.page.select_option(f"#filters-{name}", value)

    def text(self, selector: str) -> str:
        """What an element says, its spaces made one."""
        return " ".join(self.page.inner_text(selector).split())

    def chart(self, card: str) -> list[dict[str, Any]]:
        """The lines and bars of a chart: name, x, y, z, text."""
        found: list[dict[str, Any]] = self.page.evaluate(TRACES, f"{card}-chart")
        for trace in found:
            for axis in ("x", "y", "text"):
                if not isinstance(trace.get(axis), list):
                    trace[axis] = [trace.get(axis)]
        return found

    def table(self, card: str) -> list[list[str]]:
        """The heading and the rows that a table shows."""
        # Where a table scrolls, its heading is a table of its own.
        shown = self.page.locator(f"#{card}-table")
        headings = shown.locator("thead").first.locator("th").all_inner_texts()
        rows = shown.locator("table.dataTable").last.evaluate(ROWS)
        return [[" ".join(cell.split()) for cell in row] for row in [headings, *rows]]

    def message(self, card: str, kind: str) -> str:
        """What is said in the place of a chart or table; nothing where it is there."""
        # A table's stands in it, a chart's after it: its own place is kept free.
        places = (f"#{card}-{kind}{step}.shiny-output-error" for step in ("", " ", " + "))
        said = self.page.locator(", ".join(places))
        return " ".join(said.first.inner_text().split()) if said.count() else ""

    def csv(self, output: str) -> list[dict[str, str]]:
        """What a link to a CSV downloads."""
        href = self.page.get_attribute(f"#{output}", "href")
        assert href, f"{output} leads nowhere yet"
        answer = self.page.request.get(urljoin(self.page.url, href))
        assert answer.ok, f"{output}: {answer.status} {answer.text()[:300]}"
        return read_csv(answer.body())

    def query(self) -> str:
        """The query string of the address: what somebody would share."""
        said: str = self.page.evaluate("window.location.search")
        return said

    def focused(self, selector: str) -> bool:
        """Whether the keyboard is on such an element."""
        on: bool = self.page.evaluate("selector => document.activeElement.matches(selector)", selector)
        return on

    def tab_to(self, selector: str, presses: int = 60) -> None:
        """Press Tab until the keyboard is on such an element."""
        for _ in range(presses):
            self.page.keyboard.press("Tab")
            if self.focused(selector):
                return
        raise AssertionError(f"Tab does not lead to {selector}")

    def overflow(self) -> int:
        """By how many pixels the page is wider than the window."""
        wide: int = self.page.evaluate(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        )
        return wide


@contextmanager
def person(chromium: Browser, url: str, **size: int) -> Iterator[Dashboard]:
    """Somebody who was never here; nothing may have gone wrong in their browser."""
    with tab(chromium, **size) as (page, errors):
        yield Dashboard(page, url, errors)
        assert errors == []


def read_csv(content: bytes) -> list[dict[str, str]]:
    """The rows of a download."""
    text = content.decode("utf-8-sig")
    assert not re.search(r"(?<!\r)\n", text.replace('""', "")), "lines end as spreadsheets expect"
    return list(csv.DictReader(io.StringIO(text, newline="")))
