"""How long the queries of a dashboard page take, and how long the same counts take from the event rows.

A page's time is the sum of its queries, one after another, as the dashboard's R process runs them. Each
execution is planned with its parameters, as with R's driver. No answer is cached; PostgreSQL's buffers are.
"""

from __future__ import annotations

import itertools
import json
import re
import statistics
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any, Final, NamedTuple

from tests.support.dashboard_queries import dashboard_queries
from tests.support.postgres import READER, ThrowawayPostgres

ZONE: Final = "Asia/Ho_Chi_Minh"
PAGES: Final[dict[str, list[tuple[str, ...]]]] = {
    "Overview": [
        ("freshness",),
        ("totals",),
        ("order_totals", ""),
        ("totals_over_time", "day"),
        ("orders_over_time", "day"),
        ("events_by_time", "day"),
        ("events_by_name",),
        ("events_by_login_state",),
        ("events_by_weekday",),
    ],
    "Funnel": [
        ("funnel_sessions", ""),
        ("funnel_sessions", "login_state"),
    ],
    "Funnel by visitor": [
        ("funnel_visitors", ""),
        ("funnel_visitors", "login_state"),
    ],
    "Funnel by visitor and category": [
        ("funnel_visitors", ""),
        ("funnel_visitors", "category"),
    ],
    "Products": [("products", "product"), ("products", "category"), ("products", "brand")],
    "Sessions": [
        ("session_lengths",),
        ("session_depths",),
        ("sessions_by_time", "day"),
        ("recent_sessions",),
    ],
    "Data quality": [
        ("loads_by_day",),
        ("runs_by_day",),
        ("rejected_by_reason",),
        ("data_findings",),
        ("folded_labels",),
        ("load_lag",),
        ("etl_runs",),
        ("objects_waiting",),
        ("object_failures",),
    ],
}
"""The queries of each page: names of files, and the parameters after the filters' six."""
DAYS: Final = (7, 30, 90, 365)
FILTERS: Final = [
    ("", "", ""),
    ("logged_in", "", ""),
    ("", "laptop", ""),
    ("", "", "Dell"),
    ("anonymous", "monitor", ""),
]
"""Login state, category and brand; the first is the default."""
RAW: Final = {
    "events_by_name": """
        SELECT event_name, count(*) FROM clickstream_events
        WHERE NOT is_bot AND event_timestamp >= %(starts)s AND event_timestamp < %(ends)s
        GROUP BY event_name""",
    "totals": """
        SELECT count(DISTINCT visitor), sum(begins), sum(pages) FROM (
            SELECT visitor, (event_name = 'page_view')::int AS pages,
                (event_timestamp - lag(event_timestamp) OVER (PARTITION BY visitor ORDER BY event_timestamp)
                    <= interval '30 minutes' IS NOT TRUE)::int AS begins
            FROM clickstream_events
            WHERE NOT is_bot AND event_timestamp >= %(starts)s AND event_timestamp < %(ends)s) AS event""",
    "funnel_visitors": """
        WITH step AS (
            SELECT visitor, event_name, event_timestamp AS at FROM clickstream_events
            WHERE NOT is_bot AND event_timestamp >= %(starts)s AND event_timestamp < %(ends)s
              AND event_name IN ('product_view', 'add_to_cart_click', 'checkout_start', 'checkout_complete')
        ), viewed AS (
            SELECT visitor, min(at) AS at FROM step WHERE event_name = 'product_view' GROUP BY visitor
        ), carted AS (
            SELECT visitor, min(step.at) AS at FROM viewed JOIN step USING (visitor)
            WHERE event_name = 'add_to_cart_click' AND step.at >= viewed.at GROUP BY visitor
        ), started AS (
            SELECT visitor, min(step.at) AS at FROM carted JOIN step USING (visitor)
            WHERE event_name = 'checkout_start' AND step.at >= carted.at GROUP BY visitor
        ), completed AS (
            SELECT visitor, min(step.at) AS at FROM started JOIN step USING (visitor)
            WHERE event_name = 'checkout_complete' AND step.at >= started.at GROUP BY visitor
        )
        SELECT (SELECT count(*) FROM viewed), (SELECT count(*) FROM carted), (SELECT count(*) FROM started),
            (SELECT count(*) FROM completed)""",
}
"""The same counts from the event rows, by name of the query."""


class Timed(NamedTuple):
    """Times of a page over so many days, in milliseconds; `slowest` is the query with the largest median."""

    page: str
    days: int
    slowest: str
    median: float
    p95: float


class Reader:
    """A database session like the dashboard's: its role, settings and prepared queries."""

    def __init__(self, server: ThrowawayPostgres) -> None:
        self._connection = server.connect(READER)
        self._connection.autocommit = True
        self._cursor = self._connection.cursor()
        # The settings of the roles postgresql and warehouse for a server of this size.
        for setting in ("jit = off", "work_mem = '32MB'", "plan_cache_mode = force_custom_plan"):
            self._cursor.execute(f"SET {setting}")
        self.places: dict[str, int] = {}
        self.answer: list[Any] = []
        for name, sql in dashboard_queries().items():
            self.places[name] = max([0, *map(int, re.findall(r"\$(\d+)", sql))])
            self._cursor.execute(f"PREPARE {name} AS {sql}")

    def ask(self, name: str, parameters: tuple[str, ...]) -> float:
        """Run a query; return its milliseconds."""
        bound = parameters[: self.places[name]]
        places = f" ({', '.join(['%s'] * len(bound))})" if bound else ""
        return self._timed(f"EXECUTE {name}{places}", bound)

    def size(self, name: str, parameters: tuple[str, ...]) -> int:
        """Run a query; return the bytes of its answer as JSON."""
        self.ask(name, parameters)
        return len(json.dumps(self.answer, default=str).encode())

    def ask_rows(self, name: str, first: date, last: date) -> float:
        """Run the same count from the event rows; return its milliseconds."""
        edges = {"starts": f"{first} 00:00+07", "ends": f"{last + timedelta(days=1)} 00:00+07"}
        return self._timed(RAW[name], edges)

    def _timed(self, statement: str, parameters: Any) -> float:
        started = time.perf_counter()
        self._cursor.execute(statement, parameters)
        self.answer = self._cursor.fetchall()
        return (time.perf_counter() - started) * 1000


def question(
    name: str, more: tuple[str, ...], first: date, last: date, chosen: tuple[str, ...]
) -> tuple[str, ...]:
    """Return a query's parameters: the filters' six, then its own."""
    return (ZONE,) if name == "freshness" else (first.isoformat(), last.isoformat(), ZONE, *chosen, *more)


def time_pages(reader: Reader, end: date, repetitions: int = 4) -> Iterator[Timed]:
    """Run each page's queries for each length of period and each filter, with several last days."""
    for page, days in itertools.product(PAGES, DAYS):
        pages: list[float] = []
        by_query: dict[str, list[float]] = {}
        for chosen, back in itertools.product(FILTERS, range(repetitions)):
            # Another last day each time, so that only tables are warm.
            last = end - timedelta(days=back)
            first = last - timedelta(days=days - 1)
            spent = 0.0
            for name, *more in PAGES[page]:
                taken = reader.ask(name, question(name, tuple(more), first, last, chosen))
                by_query.setdefault(" ".join([name, *more]), []).append(taken)
                spent += taken
            pages.append(spent)
        slowest = max(by_query, key=lambda name: statistics.median(by_query[name]))
        yield Timed(page, days, slowest, statistics.median(pages), percentile(pages, 0.95))


def percentile(values: list[float], share: float) -> float:
    """The smallest value that this share of the values does not exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


SIZES = """
SELECT name, sum(pg_table_size(oid)), sum(pg_indexes_size(oid)) FROM (
    SELECT oid, CASE WHEN relispartition THEN 'clickstream_events' ELSE relname END AS name
    FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'
) AS tables GROUP BY name HAVING sum(pg_total_relation_size(oid)) > 1000000 ORDER BY 2 + 3 DESC
"""
