"""People who click through the dashboard, each in a browser session of their own.

What a click costs is measured in the page itself: from the browser's event to the frame that shows the last
change. That no more change will come is known, not guessed: the server has answered all that was asked before
(Shiny's connection keeps the order), and what is shown is the view that was clicked.
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
ELSEWHERE: Final = Path(__file__).with_name("elsewhere.js")
PAGES: Final = ("overview", "funnel", "products", "sessions", "quality")
PERIODS: Final = ("7", "30", "90", "365")
STATES: Final = ("logged_in", "guest", "anonymous")
LIMIT: Final = 120.0
"""Seconds after which a page counts as one that did not come."""
THINKING: Final = 7.0
"""Seconds that a person looks at a page: the mean of an exponential distribution that is cut off at ten times
as much, as the benchmark TPC-W has its shoppers think."""
FILTERED: Final = 0.6
"""How often a person changes a filter on a page."""
WEIGHTS: Final = {"period": 9, "compare": 4, "login_state": 3, "category": 3, "brand": 2}


@dataclass(frozen=True)
class View:
    """What a person looks at; the fields are the dashboard's inputs. It begins with its defaults."""

    page: str = PAGES[0]
    period: str = "7"
    compare: bool = False
    login_state: str = ""
    category: str = ""
    brand: str = ""


@dataclass(frozen=True)
class Seen:
    """A page that somebody saw complete. Milliseconds from the click: until the last of the server's answers
    that changed something was there, and until all of it was drawn.
    """

    person: int
    changed: str
    view: View
    answered: float
    drawn: float


@dataclass(frozen=True)
class Fault:
    """What a person saw go wrong."""

    person: int
    view: View
    reason: str


def walk(random: Random, choices: Mapping[str, Sequence[str]]) -> Iterator[View]:
    """Views, each one click from the one before: all pages in a random order, and again, filters between.

    `choices` are the categories and brands there are. The walk has no end.
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
    """Change one filter; one that narrows is taken away again as often as it is set."""
    [name] = random.choices(list(WEIGHTS), list(WEIGHTS.values()))
    if name == "compare":
        return replace(view, compare=not view.compare)
    now = getattr(view, name)
    others = [value for value in values[name] if value != now]
    chosen: Any = "" if now and name != "period" else random.choice(others)
    return replace(view, **{name: chosen})


class Person:
    """Somebody with a browser session of their own.

    It does not draw charts where the person is to be thought of as having a computer for that.
    """

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
            await context.add_init_script(path=ELSEWHERE)
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
        """Wait until the view is what is shown, and note how long it took."""
        found = await page.evaluate(
            "([view, limit]) => clickstreamBench.complete(view, limit)", [asdict(self._view), LIMIT * 1000]
        )
        if found["fault"]:
            self._fault(found["fault"])
        else:
            self.seen.append(Seen(self.number, changed, self._view, found["answered"], found["drawn"]))

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # by leaving
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
    """The name of the one thing that differs."""
    [name] = [name for name, value in asdict(after).items() if value != getattr(before, name)]
    return name


async def _click(page: Page, changed: str, view: View) -> None:
    """Do what makes this view of the one before."""
    value: Any = getattr(view, changed)
    if changed == "page":
        await page.click(f"a.nav-link[data-value='{value}']")
    elif changed == "compare":
        await page.set_checked("#filters-compare", value)
    else:
        await page.select_option(f"#filters-{changed}", value)
