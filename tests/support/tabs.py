"""Tabs of a visitor's browser, in Chromium and in Firefox alike."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from contextlib import suppress
from typing import Any

from playwright.sync_api import Browser, BrowserContext, Page

from tests.support.firefox import Firefox


class Tab(ABC):
    """One tab."""

    @abstractmethod
    def go(self, url: str) -> None:
        """Load a page."""

    @abstractmethod
    def js(self, expression: str) -> Any:
        """The value of an expression, awaited."""

    @abstractmethod
    def close(self) -> None:
        """Close the tab, as a visitor does."""


class Visitor(ABC):
    """A browser's profile: what its tabs share."""

    @abstractmethod
    def tab(self) -> Tab:
        """A new tab."""

    @abstractmethod
    def leave(self) -> None:
        """Close all tabs; nothing of the profile is left."""


class ChromiumTab(Tab):
    def __init__(self, page: Page) -> None:
        self.page = page
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def go(self, url: str) -> None:
        self.page.goto(url)

    def js(self, expression: str) -> Any:
        return self.page.evaluate(expression)

    def close(self) -> None:
        # Not page.close(), which runs no handlers: as the cross of the tab.
        self.page.close(run_before_unload=True)


class ChromiumVisitor(Visitor):
    def __init__(self, browser: Browser) -> None:
        self.context: BrowserContext = browser.new_context()
        self.context.set_default_timeout(120_000)  # other tests may keep the machine busy

    def tab(self) -> ChromiumTab:
        return ChromiumTab(self.context.new_page())

    def leave(self) -> None:
        self.context.close()


class FirefoxTab(Tab):
    def __init__(self, firefox: Firefox, profile: str) -> None:
        self._firefox = firefox
        self._tab = firefox.call("browsingContext.create", type="tab", userContext=profile)["context"]

    def go(self, url: str) -> None:
        self._firefox.call("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def js(self, expression: str) -> Any:
        whole = f"(async () => JSON.stringify(await ({expression})))()"
        answer = self._firefox.call(
            "script.evaluate", expression=whole, target={"context": self._tab}, awaitPromise=True
        )
        assert answer["type"] == "success", answer
        value = answer["result"].get("value")
        return None if value is None else json.loads(value)

    def close(self) -> None:
        self._firefox.call("browsingContext.close", context=self._tab)


class FirefoxVisitor(Visitor):
    def __init__(self, firefox: Firefox) -> None:
        self._firefox = firefox
        self._profile = firefox.call("browser.createUserContext")["userContext"]

    def tab(self) -> FirefoxTab:
        return FirefoxTab(self._firefox, self._profile)

    def leave(self) -> None:
        with suppress(AssertionError):
            self._firefox.call("browser.removeUserContext", userContext=self._profile)
