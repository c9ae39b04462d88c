"""Trackers beside each other: size, and main-thread time for 100 events. `python -m tests.bench.trackers`.

Others' are taken from npm into a temporary folder. Each sends to a server on this machine, from a page on
another origin. Main-thread time is Chromium's TaskDuration from the first call until five seconds later.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser

sys.path[:0] = [str(Path(__file__).parents[2] / "lambda_src")]

from tests.support.browser import browser  # noqa: E402
from tests.support.tracker_site import PROJECT, SCRIPT, Site, serve  # noqa: E402

RUNS = 5
PACKAGES = ["@snowplow/browser-tracker@4.10.1", "@plausible-analytics/tracker@0.4.6"]
UMAMI = "umami@2.10.0"
"""The whole server; its tracker needs none of what it depends on."""
CALLS = {
    "clickstream": "clickstream.track('e', {n})",
    "Plausible": "plausible('e', {props: {n}})",
    "Umami": "umami.track('e', {n})",
    "Snowplow": "snowplow.trackStructEvent({category: 'c', action: 'e', value: n})",
}
ENTRIES = {
    "Plausible": """
        import { init } from '@plausible-analytics/tracker'
        window.__plausible = true
        init({domain: 'shop.example', endpoint: COLLECTOR, captureOnLocalhost: true, logging: false})""",
    "Snowplow": """
        import { newTracker, trackPageView, trackStructEvent } from '@snowplow/browser-tracker'
        newTracker('t', COLLECTOR, {appId: 'shop'})
        trackPageView()
        window.snowplow = { trackStructEvent }""",
    "Umami": "import './package/src/tracker/index.js'",
}


def main() -> None:
    """Print a table; the collector's log is left out."""
    with contextlib.redirect_stdout(io.StringIO()):
        measure()


def measure() -> None:
    """Measure each, and print its line."""
    with (
        tempfile.TemporaryDirectory(prefix="clickstream-trackers-") as folder,
        serve() as site,
        browser() as chromium,
    ):
        scripts = {"clickstream": SCRIPT, **others(Path(folder), site.collector.url)}
        say(f"| tracker | bytes, gzipped | main thread for 100 events, ms (median of {RUNS} runs) |")
        say("|---|---|---|")
        for name, script in scripts.items():
            size = len(gzip.compress(script.read_bytes(), 9))
            times = [seconds(site, chromium, name, script) * 1000 for _ in range(RUNS)]
            say(f"| {name} | {size} | {statistics.median(times):.0f} |")


def say(line: str) -> None:
    """Print past the redirection."""
    print(line, file=sys.__stdout__, flush=True)


def others(folder: Path, collector: str) -> dict[str, Path]:
    """Others' trackers as script tags, bundled as ours is."""
    quiet = ["--prefix", str(folder), "--ignore-scripts", "--no-audit", "--no-fund", "--no-package-lock"]
    run("npm", "install", *quiet, *PACKAGES)
    run("npm", "pack", "--silent", "--pack-destination", str(folder), UMAMI)
    packed = folder / f"{UMAMI.replace('@', '-')}.tgz"
    run("tar", "xzf", str(packed), "-C", str(folder), "package/src/tracker/index.js")
    built = {}
    for name, source in ENTRIES.items():
        entry, out = folder / f"{name}.js", folder / f"{name}.min.js"
        entry.write_text(source, encoding="utf-8")
        options = [
            f'--define:COLLECTOR="{collector}"',
            "--bundle",
            "--minify",
            "--format=iife",
            "--target=es2020",
        ]
        run(
            str(PROJECT / "files/tracker/node_modules/.bin/esbuild"), str(entry), f"--outfile={out}", *options
        )
        built[name] = out
    return built


def seconds(site: Site, chromium: Browser, name: str, script: Path) -> float:
    """Main-thread seconds of 100 events on a fresh page."""
    page = site.page("/", options={"interval": 2000}, tags=0)
    attributes = f' data-website-id=x data-host-url="{site.collector.url}"' if name == "Umami" else ""
    html, headers = site.pages["/"]
    site.pages["/"] = (f"{html}<script{attributes}>{script.read_text(encoding='utf-8')}</script>", headers)
    context = chromium.new_context()
    tab = context.new_page()
    tab.goto(page)
    tab.wait_for_timeout(3000)
    session = context.new_cdp_session(tab)
    session.send("Performance.enable")

    def used() -> float:
        metrics: list[dict[str, Any]] = session.send("Performance.getMetrics")["metrics"]
        return next(float(one["value"]) for one in metrics if one["name"] == "TaskDuration")

    before = used()
    tab.evaluate(f"() => {{ for (let n = 0; n < 100; n++) {CALLS[name]} }}")
    tab.wait_for_timeout(5000)
    spent = used() - before
    context.close()
    return spent


def run(*command: str) -> None:
    """Run a command, and show what it says if it fails."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)


if __name__ == "__main__":
    main()
