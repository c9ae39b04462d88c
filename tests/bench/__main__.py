"""`python -m tests.bench [part]... [--rows N] [--sessions N]`: measures, and prints a table.

Parts: fuzz ingest start objects events million table pages hostile; all of them by default.
S3 is `tests/bench/s3_server.py`, a process on this computer that waits 20 ms before each answer; the ETL
reads it with the code that reads S3. PostgreSQL is a fresh cluster with fsync off. All share the cores
of this computer, so compare ratios of one run, and not rates of two computers.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import io
import json
import os
import statistics
import subprocess
import sys
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / "lambda_src")]

from tests.bench import fill, hostile, pages  # noqa: E402
from tests.bench.data import raw_objects  # noqa: E402
from tests.bench.shop import Shop  # noqa: E402
from tests.support.ingest_fuzz import fuzz  # noqa: E402
from tests.support.postgres import ThrowawayPostgres, throwaway_postgres  # noqa: E402

LATENCY = 20
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": f"{ROOT}:{ROOT / 'lambda_src'}",
    "AWS_ACCESS_KEY_ID": "key",
    "AWS_SECRET_ACCESS_KEY": "secret",
    "AWS_DEFAULT_REGION": "ap-southeast-1",
    "RAW_BUCKET": "raw",
    "DWH_HOST": "h",
    "DWH_USER": "u",
    "DWH_DATABASE": "d",
    "DWH_PASSWORD": "p",
}


@dataclass
class Line:
    """One row of the table: what was measured, the figure, and its limit if it has one."""

    name: str
    figure: float
    unit: str
    target: float | None = None
    at_least: bool = True

    def text(self) -> str:
        """The row."""
        verdict = ""
        if self.target is not None:
            met = self.figure >= self.target if self.at_least else self.figure <= self.target
            verdict = f"{'≥' if self.at_least else '≤'} {self.target:,g}  {'ok' if met else 'MISSED'}"
        digits = 0 if self.figure >= 100 else 2
        return f"{self.name:<66} {self.figure:>12,.{digits}f} {self.unit:<10} {verdict}"


@contextmanager
def s3(objects: int, events: int, seed: int = 1, latency: int = LATENCY) -> Iterator[str]:
    """Serve raw objects; yields the address."""
    arguments = [str(item) for item in (objects, events, seed, latency)]
    command = [sys.executable, "-m", "tests.bench.s3_server", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=ROOT) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{int(process.stdout.readline())}"
        process.kill()


def load(way: str, address: str, server: ThrowawayPostgres) -> dict[str, float]:
    """Run one load in a process of its own; return what tests/bench/loading.py prints."""
    # An earlier load may have moved the watermark past these objects.
    server.execute("SELECT make_partitions('{2025-12-02}'); UPDATE etl_watermark SET listed_from = ''")
    server.execute("CHECKPOINT")
    command = [sys.executable, "-m", "tests.bench.loading", way, address, str(server.directory)]
    answer = subprocess.run(command, check=True, stdout=subprocess.PIPE, env=ENVIRONMENT, cwd=ROOT)
    result: dict[str, float] = json.loads(answer.stdout)
    return result


def empty(server: ThrowawayPostgres) -> None:
    """Make the warehouse empty."""
    server.create_database()


def objects_part(server: ThrowawayPostgres) -> Iterator[Line]:
    """One event per object, 20 ms per answer of S3."""
    with s3(400, 1) as address:
        empty(server)
        simple = load("baseline", address, server)
    with s3(10_000, 1) as address:
        empty(server)
        ours = load("loader", address, server)
    rate, plain = ours["objects"] / ours["seconds"], simple["objects"] / simple["seconds"]
    yield Line("sequential loader, 1 event per object, 20 ms", plain, "objects/s")
    yield Line("ETL, 1 event per object, 20 ms", rate, "objects/s", 1000)
    yield Line("  against the sequential loader", rate / plain, "x", 30)
    yield Line("  processor time per object", ours["cpu"] / ours["objects"] * 1e6, "µs")


def events_part(server: ThrowawayPostgres) -> Iterator[Line]:
    """500 events per object: the best of three loads and of three bare COPYs, in turn; then reprocessed."""
    rates: dict[str, list[float]] = {"loader": [], "copy": []}
    cpu = 0.0
    with s3(600, 500) as address:
        for _ in range(3):
            for way in rates:
                empty(server)
                if way == "copy":
                    server.execute("ALTER TABLE clickstream_events DISABLE TRIGGER USER")
                result = load(way, address, server)
                rates[way].append(result["events"] / result["seconds"])
                if way == "loader":
                    cpu = result["cpu"] / result["events"] * 1e6
        empty(server)
        load("loader", address, server)
        again = load("again", address, server)
    ours, bare = max(rates["loader"]), max(rates["copy"])
    yield Line("ETL, 500 events per object, committed", ours, "events/s", 40_000)
    yield Line("bare COPY of the same rows, same table and indexes", bare, "events/s")
    yield Line("  ETL against the bare COPY", ours / bare, "x", 0.3)
    yield Line("  the loader's processor time per event", cpu, "µs")
    yield Line("ETL, the same objects reprocessed", again["events"] / again["seconds"], "events/s")


def million_part(server: ThrowawayPostgres) -> Iterator[Line]:
    """A backlog of a million events in 2,000 objects."""
    empty(server)
    with s3(2_000, 500) as address:
        result = load("loader", address, server)
    [(rows,)] = server.execute("SELECT count(*) FROM clickstream_events")
    assert rows == result["events"] == 1_000_000, rows
    yield Line("ETL, 1,000,000 events in 2,000 objects: one run", result["seconds"], "s")
    yield Line("  rate", result["events"] / result["seconds"], "events/s", 40_000)
    yield Line("  peak memory of the loader", result["memory"], "MB", 256, at_least=False)


EVENTS_PER_SESSION = 12.4
"""The mean in the shop's traffic, bots included."""


def table_part(server: ThrowawayPostgres, rows: int = 20_000_000) -> Iterator[Line]:
    """The same load into an empty table and into a large one."""
    rates: dict[str, list[float]] = {"empty": [], "large": []}
    for seed in (1, 2):
        empty(server)
        with s3(400, 500, seed) as address:
            result = load("loader", address, server)
        rates["empty"].append(result["events"] / result["seconds"])
    empty(server)
    shop = Shop(
        round(rows / EVENTS_PER_SESSION), seed=1, end=date(2025, 11, 30)
    )  # the load is of the next day
    seconds = fill.fill(server, shop)
    [(found,)] = server.execute("SELECT count(*) FROM clickstream_events")
    yield Line(f"  ({found:,} rows of a shop's year, with all counts, made in)", sum(seconds.values()), "s")
    for seed in (1, 2):
        with s3(400, 500, seed) as address:
            result = load("loader", address, server)
        assert result["events"] == 200_000
        rates["large"].append(result["events"] / result["seconds"])
    yield Line("ETL into an empty table", max(rates["empty"]), "events/s")
    yield Line(f"ETL into a table of {found:,} rows", max(rates["large"]), "events/s")
    yield Line("  against the empty one", max(rates["large"]) / max(rates["empty"]), "x", 0.8)


def ingest_part(_: ThrowawayPostgres) -> Iterator[Line]:
    """Processor time of the handler with its log line, but without S3."""
    os.environ.update(ENVIRONMENT)
    from ingest import handler

    handler._store = lambda *_: None
    for count, repetitions, limit in ((1, 3000, 300.0), (100, 100, 5000.0)):
        [(_, content)] = raw_objects(1, count)
        body = json.loads(content)["events"]
        request = {
            "routeKey": "POST /clickstream",
            "headers": {"content-type": "application/json"},
            "requestContext": {"requestId": "r", "http": {"method": "POST", "path": "/clickstream"}},
            "body": json.dumps(body, ensure_ascii=False),
        }

        def once(request: dict[str, Any] = request) -> None:
            assert handler.handler(request, None)["statusCode"] == 200

        yield Line(f"ingest, {count} event(s) per request", _cpu(once, repetitions) * 1e6, "µs", limit, False)


def _cpu(work: Callable[[], None], repetitions: int) -> float:
    """Return the median of five: seconds of processor time per call."""
    times = []
    with contextlib.redirect_stdout(io.StringIO()):
        work()
        for _ in range(5):
            gc.collect()
            started = time.process_time()
            for _ in range(repetitions // 5):
                work()
            times.append((time.process_time() - started) / (repetitions // 5))
    return statistics.median(times)


def start_part(_: ThrowawayPostgres) -> Iterator[Line]:
    """Time to import a handler and make its clients in a fresh interpreter; sizes of the zips."""
    for name, code in (
        ("ingest", "import ingest.handler"),
        ("ETL", "import etl.handler; etl.handler._store('raw'); etl.handler._client('ssm')"),
    ):
        program = f"import time; t = time.perf_counter(); {code}; print(time.perf_counter() - t)"
        times = []
        for _ in range(7):
            answer = subprocess.run(
                [sys.executable, "-c", program], check=True, stdout=subprocess.PIPE, env=ENVIRONMENT
            )
            times.append(float(answer.stdout) * 1000)
        limit = 400.0 if name == "ingest" else None
        yield Line(f"{name}: import and clients (median of 7)", statistics.median(times), "ms", limit, False)
    for path in sorted((ROOT / ".build").glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(info.file_size for info in archive.infolist())
        yield Line(f"zip {path.name}, {unpacked / 1e6:.1f} MB unpacked", path.stat().st_size / 1e6, "MB")


def fuzz_part(_: ThrowawayPostgres) -> Iterator[Line]:
    """100,000 random bodies for the collector; the seed is the day."""
    started = time.perf_counter()
    statuses = fuzz(100_000, int(time.time() // 86_400))
    answers = ", ".join(f"{status}: {count:,}" for status, count in sorted(statuses.items()))
    yield Line(f"fuzz, 100,000 requests ({answers})", time.perf_counter() - started, "s")


def pages_part(server: ThrowawayPostgres, sessions: int = fill.SESSIONS) -> Iterator[Line]:
    """The dashboard's queries over a year of a shop's traffic."""
    empty(server)
    end = date.today() - timedelta(days=2)
    shop = Shop(sessions, seed=1, end=end)
    for name, seconds in fill.fill(server, shop).items():
        yield Line(f"  ({name}: {sessions:,} sessions in a year)", seconds, "s")
    [(events, views)] = server.execute(
        "SELECT sum(events), sum(events) FILTER (WHERE event_name = 'page_view') FROM daily_events"
    )
    yield Line("  (events of people)", float(events), "events")
    yield Line("  (page views)", float(views), "events")
    reader = pages.Reader(server)
    for timed in pages.time_pages(reader, end):
        yield Line(f"{timed.page}, {timed.days} days: median", timed.median, "ms")
        yield Line(f"  95th percentile (slowest query: {timed.slowest})", timed.p95, "ms", 1000, False)
    for name in pages.RAW:
        for days in (30, 365):
            first = end - timedelta(days=days - 1)
            asked = pages.question(name, ("",), first, end, ("", "", ""))
            model = statistics.median(reader.ask(name, asked) for _ in range(3))
            rows = reader.ask_rows(name, first, end)
            yield Line(f"{name}, {days} days: counted from the event rows", rows, "ms")
            yield Line("  against the dashboard's query", rows / model, "x")
    for table, heap, indexes in server.execute(pages.SIZES):
        size = float(heap + indexes)
        yield Line(f"{table}: {size / float(events):,.0f} bytes per event", size / 1e6, "MB")


def hostile_part(server: ThrowawayPostgres) -> Iterator[Line]:
    """Floods: how time and bytes grow, what a shop's load costs after them, and how large a page becomes."""
    shops = hostile.traffic()
    empty(server)
    usual = hostile.load(server, shops[0]).bytes_per_event
    yield Line("shop traffic alone: bytes per event", usual, "bytes")
    for name, flood in hostile.FLOODS.items():
        times: dict[int, float] = {}
        alone: list[float] = []
        beside: list[float] = []
        for total in (1_000, 1_000, 1_000, 10_000, 100_000, 100_000):
            empty(server)
            loaded = hostile.load(server, flood(total))
            times[total] = min(times.get(total, loaded.seconds), loaded.seconds)
            if total == 100_000:
                page, size = max(hostile.page_bytes(server).items(), key=lambda item: item[1])
                beside += hostile.load_traffic(server, shops)
                empty(server)
                alone += hostile.load_traffic(server, shops)
        yield Line(f"flood, {name}: 100,000 events", times[100_000], "s of CPU")
        growth = times[100_000] / times[1_000] / 100
        yield Line("  growth from 1,000 to 100,000, against linear", growth, "x", 1.2, False)
        yield Line("  from 10,000 to 100,000", times[100_000] / times[10_000] / 10, "x")
        yield Line(
            "  a shop's load after it, against one without",
            statistics.median(beside) / statistics.median(alone),
            "x",
            1.1,
            False,
        )
        yield Line("  bytes per event, against shop traffic", loaded.bytes_per_event / usual, "x", 1.5, False)
        yield Line(f"  largest answer of a page ({page})", size / 1000, "KB", 300, False)


PARTS: dict[str, Callable[[ThrowawayPostgres], Iterator[Line]]] = {
    "fuzz": fuzz_part,
    "ingest": ingest_part,
    "start": start_part,
    "objects": objects_part,
    "events": events_part,
    "million": million_part,
    "table": table_part,
    "pages": pages_part,
    "hostile": hostile_part,
}


def main() -> None:
    """Run the chosen parts."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=list(PARTS), metavar="part")
    parser.add_argument("--rows", type=int, default=20_000_000, help="rows of the large table")
    parser.add_argument("--sessions", type=int, default=fill.SESSIONS, help="sessions of the shop")
    arguments = parser.parse_args()
    load_average = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load_average:.1f}, Python {sys.version.split()[0]}", flush=True)
    if load_average > 1:
        print("This computer is busy: compare ratios only, or measure again when it is idle.", flush=True)
    lines = []
    PARTS["table"] = lambda server: table_part(server, arguments.rows)
    PARTS["pages"] = lambda server: pages_part(server, arguments.sessions)
    with throwaway_postgres(**fill.SETTINGS) as server:
        for name in arguments.parts:
            for line in PARTS[name](server):
                lines.append(line)
                print(line.text(), flush=True)
    sys.exit(any("MISSED" in line.text() for line in lines))


if __name__ == "__main__":
    main()
