"""People who click through the dashboard, each in a browser session of their own.

A click is measured in the page: from the browser's event to the frame with the last change. The end is not
guessed: the server has answered everything that was asked before (Shiny answers in order), and the page shows
the view that was clicked.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from random import Random
from typing import Any, Final

from playwright.async_api import Browser, Error, Page, Request, Response

from tests.support.browser import KNOWN_ERRORS

SCRIPT: Final = Path(__file__).with_name("people.js")
NO_DRAWING: Final = Path(__file__).with_name("no_drawing.js")
PAGES: Final = ("overview", "funnel", "products", "sessions", "quality")
PERIODS: Final = ("7", "30", "90", "365")
STATES: Final = ("logged_in", "guest", "anonymous")
LIMIT: Final = 120.0
"""Seconds after which a page counts as failed."""
THINKING: Final = 7.0
"""Mean seconds between two clicks: exponential, cut off at ten times the mean, as in the benchmark TPC-W."""
FILTERED: Final = 0.6
"""Probability that a person changes a filter on a page."""
WEIGHTS: Final = {"period": 9, "compare": 4, "login_state": 3, "category": 3, "brand": 2}


@dataclass(frozen=True)
class View:
    """A page with its filters, by the names of the dashboard's inputs; the defaults are the dashboard's."""

    page: str = PAGES[0]
    period: str = "7"
    compare: bool = False
    login_state: str = ""
    category: str = ""
    brand: str = ""


@dataclass(frozen=True)
class Seen:
    """A page that was complete. Milliseconds from the click to the last answer of the server that changed
    something (`answered`), and until it was drawn (`drawn`).
    """

    person: int
    changed: str
    view: View
    answered: float
    drawn: float


@dataclass(frozen=True)
class Fault:
    """An error that a person saw."""

    person: int
    view: View
    reason: str


def walk(random: Random, choices: Mapping[str, Sequence[str]]) -> Iterator[View]:
    """Views, each one click from the one before: all pages in random order, filters between, without end.

    `choices` are the categories and brands that can be chosen.
    """
    values = {"period": PERIODS, "login_state": STATES, **choices}
    view = View()
    while True:
        for page in random.sample(PAGES, len(PAGES)):
            if page != view.page:
                view = replace(view, page=page)
                yield view
            if random.random() < FILTERED:
                view = _filtered(view, random, values)
                yield view


def _filtered(view: View, random: Random, values: Mapping[str, Sequence[str]]) -> View:
    """Change one filter; one that is set is cleared."""
    [name] = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
    if name == "compare":
        return replace(view, compare=not view.compare)
    now = getattr(view, name)
    others = [value for value in values[name] if value != now]
    chosen: Any = "" if now and name != "period" else random.choice(others)
    return replace(view, **{name: chosen})


class Person:
    """Somebody with a browser session of their own; without `draws`, the browser draws no charts."""

    def __init__(self, number: int, browser: Browser, url: str, draws: bool = True) -> None:
        self.number, self.draws = number, draws
        self._browser, self._url = browser, url
        self.seen: list[Seen] = []
        self.faults: list[Fault] = []
        self._view = View()

    async def visit(self, views: Sequence[View] = (), thinking: Random | None = None) -> None:
        """Open the dashboard, look at one view after the other, and leave; at once when something fails."""
        context = await self._browser.new_context(viewport={"width": 1280, "height": 900})
        await context.add_init_script(path=SCRIPT)
        if not self.draws:
            await context.add_init_script(path=NO_DRAWING)
        page = await context.new_page()
        page.set_default_timeout(LIMIT * 1000)
        page.on("pageerror", self._uncaught)
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)
        self._view = View()
        try:
            await page.goto(self._url, wait_until="commit")
            await self._complete(page, "opened")
            for view in views:
                if self.faults:
                    break
                if thinking is not None:
                    await asyncio.sleep(min(thinking.expovariate(1 / THINKING), 10 * THINKING))
                changed, self._view = _difference(self._view, view), view
                await page.evaluate("clickstreamBench.arm()")
                await _click(page, changed, view)
                await self._complete(page, changed)
        except Error as error:
            self._fault(f"{error}".splitlines()[0])
        finally:
            await context.close()

    async def _complete(self, page: Page, changed: str) -> None:
        """Wait until the page shows the view, and record how long it took."""
        found = await page.evaluate(
            "([view, limit]) => clickstreamBench.complete(view, limit)", [asdict(self._view), LIMIT * 1000]
        )
        if found["fault"]:
            self._fault(found["fault"])
        else:
            self.seen.append(Seen(self.number, changed, self._view, found["answered"], found["drawn"]))

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # cancelled by leaving the page
            self._fault(f"{request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._fault(f"{response.url}: {response.status}")

    def _uncaught(self, error: Exception) -> None:
        if not str(error).startswith(KNOWN_ERRORS):
            self._fault(str(error))

    def _fault(self, reason: str) -> None:
        self.faults.append(Fault(self.number, self._view, reason))


def _difference(before: View, after: View) -> str:
    """The name of the one field that differs."""
    [name] = [name for name, value in asdict(after).items() if value != getattr(before, name)]
    return name


async def _click(page: Page, changed: str, view: View) -> None:
    """Make the one click that leads to this view."""
    value: Any = getattr(view, changed)
    if changed == "page":
        await page.click(f"a.nav-link[data-value='{value}']")
    elif changed == "compare":
        await page.set_checked("#filters-compare", value)
    else:
        await page.select_option(f"#filters-{changed}", value)
