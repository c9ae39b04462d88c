"""A headless Chromium (Debian's package) for tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

QUIET = [
    "--no-sandbox",  # tests run as root
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]

KNOWN_ERRORS = (
    "$(...).datepicker is not a function",  # bootstrap-datepicker: Shiny renames it before it starts
)
"""What Debian's builds of the page's libraries say once when they are loaded; the page works all the same."""


@contextmanager
def browser() -> Iterator[Browser]:
    """A started Chromium."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        try:
            yield started
        finally:
            started.close()


@contextmanager
def tab(started: Browser, width: int = 1280, height: int = 900) -> Iterator[tuple[Page, list[str]]]:
    """A page of somebody who was never here, and the list that its errors and the console's are added to."""
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


@contextmanager
def page(width: int = 1280, height: int = 900) -> Iterator[tuple[Page, list[str]]]:
    """A new page in a browser of its own, and the list that its errors are added to."""
    with browser() as started, tab(started, width, height) as opened:
        yield opened
