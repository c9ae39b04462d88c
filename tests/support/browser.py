"""A headless Chromium (Debian's package) for tests of pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

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
    "GLOBAL is not defined",  # plotly
)
"""What Debian's builds of the page's libraries say once when they are loaded; the page works all the same."""


@contextmanager
def page(width: int = 1280, height: int = 900) -> Iterator[tuple[Page, list[str]]]:
    """A new page, and the list that its uncaught errors are added to."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=QUIET)
        opened = browser.new_page(viewport={"width": width, "height": height})
        errors: list[str] = []
        opened.on(
            "pageerror",
            lambda error: None if str(error).startswith(KNOWN_ERRORS) else errors.append(str(error)),
        )
        try:
            yield opened, errors
        finally:
            browser.close()
