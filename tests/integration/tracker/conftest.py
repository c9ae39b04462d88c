"""A shop's pages, and visitors with Chromium and Firefox."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.support.browser import QUIET
from tests.support.firefox import Firefox, firefox
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres
from tests.support.tabs import ChromiumVisitor, FirefoxVisitor, Visitor
from tests.support.tracker_site import Site, serve


@pytest.fixture(scope="package")
def chromium() -> Iterator[Browser]:
    # Playwright turns the cache for back and forward off.
    with sync_playwright() as playwright:
        kept = ["--disable-back-forward-cache"]
        started = playwright.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=[*QUIET, "--host-resolver-rules=MAP shop.test 127.0.0.1"],
            ignore_default_args=kept,
        )
        yield started
        started.close()


@pytest.fixture(scope="package")
def debians_firefox() -> Iterator[Firefox]:
    with firefox() as started:
        yield started


@pytest.fixture(scope="package")
def warehouse() -> Iterator[ThrowawayPostgres]:
    with throwaway_postgres() as server:
        server.create_database()
        yield server


@pytest.fixture
def site() -> Iterator[Site]:
    with serve() as served:
        yield served


@pytest.fixture(params=["chromium", "firefox"])
def visitors(request: pytest.FixtureRequest) -> Iterator[Callable[[], Visitor]]:
    """Makes visitors, each with a profile of their own."""
    if request.param == "chromium":
        browser = request.getfixturevalue("chromium")
        make: Callable[[], Visitor] = lambda: ChromiumVisitor(browser)  # noqa: E731
    else:
        started = request.getfixturevalue("debians_firefox")
        make = lambda: FirefoxVisitor(started)  # noqa: E731
    with ExitStack() as stack:

        def come() -> Visitor:
            visitor = make()
            stack.callback(visitor.leave)
            return visitor

        yield come


@pytest.fixture
def visitor(visitors: Callable[[], Visitor]) -> Visitor:
    return visitors()
