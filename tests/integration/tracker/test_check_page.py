"""playbooks/check_page.yml: pages on which the tracker works, and pages with something in its way."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest import MonkeyPatch

from ansible_collections.clickstream.aws.plugins.module_utils.devtools import (
    BrowserError,
    Chromium,
)
from ansible_collections.clickstream.aws.plugins.modules import page_probe
from tests.support.browser import program
from tests.support.tracker_site import PROJECT, SCRIPT, Site

NOBODY = "http://127.0.0.1:19/clickstream"
"""No program has this port, and none may."""


@pytest.fixture(scope="module")
def started() -> Iterator[Chromium]:
    with tempfile.TemporaryDirectory(prefix="clickstream-page-", ignore_cleanup_errors=True) as profile:
        browser = Chromium(program(), profile)
        yield browser
        browser.close()


Look = Callable[[str], dict[str, Any]]


@pytest.fixture
def look(started: Chromium, monkeypatch: MonkeyPatch) -> Look:
    """Looks at a page; each test has an origin of its own, and so a new visitor."""
    monkeypatch.setattr(page_probe, "QUIET", 0.25)

    def at(url: str) -> dict[str, Any]:
        started.call("Page.navigate", url="about:blank")
        started.events.clear()
        seen, page = page_probe.look(started, url, wait=20)
        found = page_probe.findings(seen, page)
        return {"version": page["version"], "events": page_probe.told(seen), "findings": found}

    return at


def csp(policy: str) -> dict[str, str]:
    return {"content-security-policy": policy}


def tag(src: str, more: str = "") -> str:
    return f'<script src="{src}" data-url="https://c.example/clickstream" {more}></script>'


def test_where_the_tracker_works_nothing_is_found(site: Site, look: Look) -> None:
    url = site.page("/")
    found = look(url)
    assert found["findings"] == []
    assert found["version"]
    assert found["events"] == [{"event": "page_view", "page": url, "answer": "accepted"}]


def test_it_may_be_a_part_of_the_pages_own_scripts(site: Site, look: Look) -> None:
    body = f"""<script type=module nonce=n>
      import {{ createTracker }} from '/tracker.mjs'
      createTracker({{url: '{site.collector.url}', interval: 50}})
    </script>"""
    found = look(site.page("/", tags=0, body=body))
    assert (found["findings"], len(found["events"])) == ([], 1)


def test_others_scripts_are_not_taken_for_it(site: Site, look: Look) -> None:
    site.pages["/other/tracker.js"] = site.pages["/share.js"] = ("", {"content-type": "text/javascript"})
    others = '<script src="/other/tracker.js"></script><script src="/share.js" data-url="/share"></script>'
    [finding] = look(site.page("/", tags=0, last="delete clickstreamOptions", body=others))["findings"]
    assert "has no tracker" in finding


def refusing(site: Site) -> str:
    site.collector.origins.clear()
    return site.page("/")


def failing(site: Site) -> str:
    site.collector.fault = lambda _: "500"
    return site.page("/", {"retry": 60_000})


def unreadable(site: Site) -> str:
    """A script on another origin, without CORS."""
    site.pages["/bare/tracker.js"] = (SCRIPT.read_text(encoding="utf-8"), {"content-type": "text/javascript"})
    there = site.origin.replace("localhost", "127.0.0.1")
    return site.page("/", tags=0, body=tag(f"{there}/bare/tracker.js", "crossorigin=anonymous"))


HASH = "integrity=sha384-" + "A" * 64
PAGES: dict[str, tuple[Callable[[Site], str], list[str]]] = {
    "no tracker": (lambda s: s.page("/", tags=0), ["has no tracker", "playbooks/tracker.yml"]),
    "twice": (lambda s: s.page("/", tags=2), ["2 times", "leave one"]),
    "script-src": (
        lambda s: s.page("/", headers=csp("script-src 'nonce-n'")),
        ["forbids it", "to script-src"],
    ),
    "connect-src": (
        lambda s: s.page("/", {"retry": 60_000}, headers=csp("connect-src 'self'")),
        ["forbids to send to http://127.0.0.1:", "to connect-src"],
    ),
    "a stranger's page": (refusing, ["does not allow pages of http://localhost:", "platform_cors_origins"]),
    "a wrong path": (
        lambda s: s.page("/", {"url": f"{s.collector.url}s"}),
        ["answers 404", "no collector's address", "data-url"],
    ),
    "a wrong host": (
        lambda s: s.page("/", {"url": NOBODY}),
        [f"{NOBODY} cannot be reached: net::ERR_", "data-url"],
    ),
    "a collector that fails": (failing, ["answers 500", "logs"]),
    "a script that is not there": (
        lambda s: s.page("/", tags=0, body=tag("/static/tracker.js")),
        ["is not loaded: the answer is 404", "address in src"],
    ),
    "a script on a wrong host": (
        lambda s: s.page("/", tags=0, body=tag("http://127.0.0.1:19/tracker.js")),
        ["is not loaded: net::ERR_", "address in src"],
    ),
    "a page for a script": (
        lambda s: s.page("/", tags=0, body=tag("/")),
        ["SyntaxError", "not the tracker"],
    ),
    "a wrong hash": (
        lambda s: s.page("/", tags=0, body=tag("/tracker.js", HASH)),
        ["its hash is not the one", "hash and name together"],
    ),
    "a script of another origin": (
        unreadable,
        ["CORS: its server does not allow", "storage_media_cors_rules"],
    ),
    "a call before the script": (
        lambda s: s.page("/", last="clickstream.homeView()"),
        ["clickstream is not defined", "??= []"],
    ),
    "storage that is blocked": (
        lambda s: (s.collector.origins.add("null"), s.page("/", headers=csp("sandbox allow-scripts")))[1],
        ["Storage is blocked", "sandbox"],
    ),
    "no address": (lambda s: s.page("/", {"url": None}), ["records and sends none", "data-url"]),
    "no consent": (lambda s: s.page("/", {"consent": "waiting"}), ["records nothing", "consent"]),
    "an event that is refused": (
        lambda s: s.page("/", first="clickstream = [t => t.productView({id: ['a']})]"),
        ["refused product_view: product.id must be", "lambda_src/README.md"],
    ),
}


@pytest.mark.parametrize("case", PAGES)
def test_what_stands_in_its_way_is_said_with_the_fix(site: Site, look: Look, case: str) -> None:
    page, words = PAGES[case]
    [finding] = look(page(site))["findings"]
    assert "Fix: " in finding
    for word in words:
        assert word in finding


def test_a_pages_own_error_is_told_where_it_may_be_the_reason(site: Site, look: Look) -> None:
    broken = "throw new Error('of the shop')"
    assert look(site.page("/", last=broken))["findings"] == []
    no_tracker, error = look(site.page("/", last=broken, tags=0))["findings"]
    assert "has no tracker" in no_tracker and "of the shop" in error


@pytest.mark.parametrize("address", ["/nothing", ":19/"])
def test_a_page_that_cannot_be_opened(site: Site, look: Look, address: str) -> None:
    url = site.origin + address if address.startswith("/") else "http://localhost:19/"
    with pytest.raises(BrowserError, match="Fix: correct the address"):
        look(url)


def test_the_playbook_says_what_it_found(site: Site) -> None:
    command = [".venv/bin/ansible-playbook", "-i", "inventories/aws", "playbooks/check_page.yml", "-e"]
    given = f"url={site.page('/', tags=2)} check_page_browser={program()}"
    run = subprocess.run([*command, given], cwd=PROJECT, capture_output=True, text=True, check=False)
    assert run.returncode == 2
    for words in (
        "page_view",
        "accepted",
        f"{site.origin}/tracker.js",
        "2 times",
        "Fix: leave one script tag",
    ):
        assert words in run.stdout
