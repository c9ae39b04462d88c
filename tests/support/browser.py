"""A headless Chromium for tests of pages: Debian's package, or on Ubuntu, which has none, Playwright's."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Error, Page, sync_playwright

QUIET = [
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

NETWORK_CHANGED = "net::ERR_NETWORK_CHANGED"
KNOWN_ERRORS = (
    "$(...).datepicker is not a function",  # bootstrap-datepicker: Shiny renames it before it starts
)
"""Errors that Debian's builds of the page's libraries report when they are loaded; the page works."""


def program() -> str:
    """The path of that Chromium."""
    if found := shutil.which("chromium"):
        return found
    with sync_playwright() as playwright:
        return playwright.chromium.executable_path


@contextmanager
def browser() -> Iterator[Browser]:
    """A started Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def tab(started: Browser, width: int = 1280, height: int = 900) -> Iterator[tuple[Page, list[str]]]:
    """A page in a new session, and the list that its errors and the console's are added to."""
    context = started.new_context(viewport={"width": width, "height": height})
    page = context.new_page()
    errors: list[str] = []

    def uncaught(error: Exception) -> None:
        if not str(error).startswith(KNOWN_ERRORS):
            errors.append(str(error))

    def said(message: ConsoleMessage) -> None:
        if message.type == "error" and not any(known in message.text for known in KNOWN_ERRORS):
            errors.append(f"{message.text} ({message.location.get('url')})")

    page.on("pageerror", uncaught)
    page.on("console", said)
    try:
        yield page, errors
    finally:
        context.close()


def network_changed(errors: list[str]) -> bool:
    """Whether Chromium cancelled requests because a network interface came or went; clears the errors then.

    Machines add and remove interfaces, also those of tests that run at the same time. Chromium then drops
    every connection that is being opened, to 127.0.0.1 too, and the page lacks some of its scripts.
    """
    found = any(NETWORK_CHANGED in said for said in errors)
    if found:
        errors.clear()
    return found


def load(page: Page, errors: list[str], url: str) -> None:
    """Go to a URL; again if a network change cancelled requests."""
    for _ in range(20):
        broken = ""
        try:
            page.goto(url)
        except Error as error:
            broken = str(error)
        if not network_changed([broken, *errors]):
            assert not broken, broken
            return
        errors.clear()
    raise AssertionError(f"the network changes all the time: {broken}")


@contextmanager
def page(width: int = 1280, height: int = 900) -> Iterator[tuple[Page, list[str]]]:
    """A new page in a browser of its own, and the list that its errors are added to."""
    with browser() as started, tab(started, width, height) as opened:
        yield opened
