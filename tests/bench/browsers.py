"""`python -m tests.bench.browsers`: ten people click through the dashboard of the running deployment at once.

It takes the deployment that `make up` made in this clone and puts a year of a shop's traffic into its
warehouse (the rows that were there are kept in another schema and restored afterwards). It opens the
dashboard through the port forward, in one browser session per person: first for one, then for ten at once.
The browsers share the processors with the deployment; the table shows what each used. People have computers
of their own to draw charts, so in a third round all browsers but one do not draw: the times of that one are
what each of ten people would see.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from playwright.async_api import async_playwright

sys.path[:0] = [str(Path(__file__).parents[2] / "lambda_src")]

from tests.bench import deployed, fill  # noqa: E402
from tests.bench.__main__ import Line  # noqa: E402
from tests.bench.pages import percentile  # noqa: E402
from tests.bench.people import PAGES, Person, Seen, View, walk  # noqa: E402
from tests.support.browser import QUIET  # noqa: E402

TARGET = 2000
"""Milliseconds: the limit of the 95th percentile."""
ARRIVAL = 60.0
"""Seconds within which people open the dashboard."""


@dataclass
class Visits:
    """The pages that some people opened, and the processor time."""

    people: list[Person]
    seconds: float
    processor: dict[str, float]

    @property
    def seen(self) -> list[Seen]:
        """All pages that were complete in time."""
        return [seen for person in self.people for seen in person.seen]

    @property
    def drawn(self) -> list[Seen]:
        """Those in browsers that draw charts."""
        return [seen for person in self.people if person.draws for seen in person.seen]

    @property
    def p95(self) -> float:
        """95th percentile of the milliseconds from click to drawn page; of opening it, if nobody clicked."""
        clicks = [seen.drawn for seen in self.drawn if seen.changed != "opened"]
        return percentile(clicks or [seen.drawn for seen in self.drawn] or [float("inf")], 0.95)


async def visits(
    deployment: deployed.Deployment,
    url: str,
    views: Sequence[Sequence[View]],
    seed: int = 0,
    not_drawing: int = 0,
) -> Visits:
    """Let one person per list of views open the dashboard at about the same time, and click through them.

    The browsers of `not_drawing` of them draw no charts.
    """
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=shutil.which("chromium"), args=QUIET)
        people = [Person(number, browser, url, number >= not_drawing) for number in range(len(views))]
        randoms = [Random(f"{seed}/{person.number}/thinking") for person in people]  # noqa: S311

        async def come(person: Person) -> None:
            random = randoms[person.number]
            await asyncio.sleep(random.uniform(0, ARRIVAL) if len(people) > 1 else 0)
            await person.visit(views[person.number], random)

        before, started = deployment.processor_seconds(), time.perf_counter()
        own = _processor_seconds_of_children()
        await asyncio.gather(*map(come, people))
        seconds = time.perf_counter() - started
        own = _processor_seconds_of_children() - own
        await browser.close()
    after = deployment.processor_seconds()
    used = {name: after[name] - before.get(name, 0) for name in after}
    return Visits(people, seconds, {**used, "browser": own})


def _processor_seconds_of_children() -> float:
    """Processor seconds of all descendants of this process, ended ones included."""
    below: dict[int, tuple[int, int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue  # it has just ended
        below[int(stat.parent.name)] = int(fields[1]), sum(map(int, fields[11:15]))

    def is_below(process: int) -> bool:
        while process in below:
            process = below[process][0]
            if process == os.getpid():
                return True
        return False

    return sum(ticks for process, (_, ticks) in below.items() if is_below(process)) / os.sysconf("SC_CLK_TCK")


TITLES = dict(zip(PAGES, ("Overview", "Funnel", "Products", "Sessions", "Data quality"), strict=True))


def lines(of: Visits, target: float | None = None) -> Iterator[Line]:
    """The rows of the table for these visits."""
    groups = {"opening it": [seen for seen in of.drawn if seen.changed == "opened"]}
    for page in PAGES:
        groups[TITLES[page]] = [
            seen for seen in of.drawn if seen.view.page == page and seen.changed != "opened"
        ]
    for name, seen in groups.items():
        if seen:
            drawn = [one.drawn for one in seen]
            yield Line(f"{name}: median of {len(seen)} clicks", statistics.median(drawn), "ms")
            yield Line("  95th percentile", percentile(drawn, 0.95), "ms")
            yield Line("  the slowest", max(drawn), "ms")
    if of.drawn:
        answered = percentile([seen.answered for seen in of.seen], 0.95)
        yield Line("every page: median", statistics.median(seen.drawn for seen in of.drawn), "ms")
        yield Line("  95th percentile: last answer of the server (all browsers)", answered, "ms")
    yield Line("  95th percentile: complete", of.p95, "ms", target, at_least=False)
    yield Line("  clicks", len(of.seen), "clicks")
    yield Line("  errors", sum(len(person.faults) for person in of.people), "errors", 0, at_least=False)
    for name, label in {
        "shiny-server": "R and Shiny Server",
        "postgresql": "PostgreSQL",
        "browser": "the browser",
    }.items():
        yield Line(f"  processors used by {label}", of.processor.get(name, 0) / of.seconds, "processors")
        yield Line("    per click", of.processor.get(name, 0) / max(len(of.seen), 1) * 1000, "ms")


def slowest(of: Visits, count: int = 8) -> Iterator[str]:
    """The slowest views and all faults, as text."""
    for seen in sorted(of.drawn, key=lambda seen: -seen.drawn)[:count]:
        times = f"{seen.drawn:7,.0f} ms (answered {seen.answered:,.0f})"
        yield f"  {times}: {seen.changed} of {described(seen.view)}"
    for person in of.people:
        for fault in person.faults:
            yield f"  FAULT, person {fault.person}, {described(fault.view)}: {fault.reason}"


def described(view: View) -> str:
    """A view as text."""
    words = [view.page, f"{view.period} days", "compared" if view.compare else ""]
    return ", ".join(filter(None, [*words, view.login_state, view.category, view.brand]))


def main() -> None:
    """Fill, let people click, print the table."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.browsers", description=__doc__)
    parser.add_argument("--sessions", type=int, default=fill.SESSIONS, help="sessions of the shop's year")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--clicks", type=int, default=40, help="of each person")
    parser.add_argument("--seed", type=int, default=1, help="another one: other walks")
    parser.add_argument(
        "--keep", action="store_true", help="leave the shop in the warehouse for the next run"
    )
    parser.add_argument("--cloud", default="", help="name of the local cloud, where several run")
    parser.add_argument("--port", type=int, default=23850, help="of this machine, for the dashboard")
    parser.add_argument("-i", "--inventory", action="append", help="default: inventories/local")
    arguments = parser.parse_args()
    deployment = deployed.find(arguments.cloud)
    load_average = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load_average:.1f}, Python {sys.version.split()[0]}", flush=True)
    if load_average > 1:
        print("The machine is busy: read the ratios, and measure again when it is not.", flush=True)
    missed = False

    def show(line: Line) -> None:
        nonlocal missed
        missed |= "MISSED" in line.text()
        print(line.text(), flush=True)

    def show_all(title: str, of: Visits, target: float | None = None) -> None:
        print(title, flush=True)
        for line in lines(of, target):
            show(line)
        for text in slowest(of):
            print(text, flush=True)

    with (
        deployed.shop_in(deployment.server, arguments.sessions, arguments.keep) as steps,
        deployment.port(arguments.inventory or ["inventories/local"], arguments.port) as url,
    ):
        for name, seconds in steps.items():
            show(Line(f"({name}: {arguments.sessions:,} sessions in a year)", seconds, "s"))
        [(rows,)] = deployment.server.execute("SELECT count(*) FROM clickstream_events")
        show(Line("(rows)", rows, "rows"))
        choices = deployed.choices(deployment.server)
        views = [
            list(islice(walk(Random(f"{arguments.seed}/{person}"), choices), arguments.clicks))  # noqa: S311
            for person in range(arguments.people)
        ]
        results = []
        rounds = (
            ("One person", views[-1:], 0),
            (f"{len(views)} people at once", views, 0),
            (f"{len(views)} people, one of whose browsers draws charts", views, len(views) - 1),
        )
        for title, walks, not_drawing in rounds:
            deployment.forget_dashboard()  # its cache is empty then
            cold = asyncio.run(visits(deployment, url, [[]]))
            show(Line("the first page after a restart of Shiny Server", cold.p95, "ms"))
            results.append(asyncio.run(visits(deployment, url, walks, arguments.seed, not_drawing)))
            show_all(title, results[-1], TARGET if walks is views else None)
        for (title, _, _), result in zip(rounds[1:], results[1:], strict=True):
            show(Line(f"95th percentile, {title}: against one person", result.p95 / results[0].p95, "x"))
    sys.exit(missed)


if __name__ == "__main__":
    main()
