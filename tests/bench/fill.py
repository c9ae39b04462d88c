"""Fills a warehouse with a shop's traffic.

`python -m tests.bench.fill [--sessions N] [--no-model]` measures it: 1.2 million sessions by default.
"""

from __future__ import annotations

import argparse
import multiprocessing
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "lambda_src")]

from etl.row import Row  # noqa: E402
from tests.bench.shop import Shop  # noqa: E402
from tests.support.postgres import Server, throwaway_postgres  # noqa: E402

SESSIONS = 1_200_000
SETTINGS = {
    "max_wal_size": "16GB",
    "shared_buffers": "1GB",
    "checkpoint_timeout": "30min",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "work_mem": "32MB",
}
"""For the server while it is filled. With `autovacuum` it would read growing partitions again and again.

`work_mem` is what role postgresql gives a machine of 2 GB.
"""

COPY = f"COPY clickstream_events ({', '.join(Row._fields)}, loaded_at) FROM STDIN WITH (NULL '')"
PARTITIONS = """
SELECT make_partitions(array_agg(at)) FROM generate_series(%s::timestamptz, %s::timestamptz, '1 day') AS at
"""
WEEKS = """
SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'clickstream_events'::regclass ORDER BY 1
"""
IDS = "INSERT INTO clickstream_event_ids SELECT event_id, received_at FROM {}"
IDS_KEY = """
SET maintenance_work_mem = '1GB';
ALTER TABLE clickstream_event_ids ADD PRIMARY KEY (event_id);
"""


def fill(server: Server, shop: Shop, processes: int = 2, model: bool = True) -> dict[str, float]:
    """Load the rows of `shop` into the empty warehouse of `server`; return the seconds of each step.

    Without `model`, the tables that the triggers keep stay empty.
    """
    seconds: dict[str, float] = {}

    @contextmanager
    def step(name: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        seconds[name] = time.perf_counter() - started

    with step("copy"):
        first, last = (datetime.fromtimestamp(at // 1000, UTC) for at in (shop.start, shop.end))
        server.execute(PARTITIONS, (first, last + timedelta(days=1)))
        _copy(server, shop, processes)
    weeks = [week for (week,) in server.execute(WEEKS)]
    with step("ids"):
        server.execute("ALTER TABLE clickstream_event_ids DROP CONSTRAINT clickstream_event_ids_pkey")
        _each(server, [IDS.format(week) for week in weeks], processes)
        server.execute(IDS_KEY)
    with step("vacuum"):
        _each(server, [f"VACUUM (ANALYZE) {table}" for table in (*weeks, "clickstream_event_ids")], processes)
        server.execute("ANALYZE clickstream_events")
    if model and server.execute("SELECT to_regprocedure('public.rebuild_model()')") != [(None,)]:
        with step("model"):
            server.execute("SELECT rebuild_model()")
        with step("vacuum of the model"):
            server.execute("VACUUM (ANALYZE)")
    return seconds


def _copy(server: Server, shop: Shop, processes: int) -> None:
    """Load the year in pieces, one process each."""
    context = multiprocessing.get_context("fork")  # workers inherit the shop
    workers = [
        context.Process(target=_copy_piece, args=(server, shop, piece)) for piece in shop.pieces(processes)
    ]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not any(worker.exitcode for worker in workers), "a piece could not be loaded"


class _Reader:
    """The file that COPY reads: each read returns the next text, whatever its length."""

    def __init__(self, texts: Iterator[str]) -> None:
        self._texts = texts

    def read(self, _: int = -1) -> bytes:
        return next((text.encode() for text in self._texts if text), b"")


def _copy_piece(server: Server, shop: Shop, days: range) -> None:
    connection = server.connect()
    with connection, connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")  # no triggers
        cursor.copy_expert(COPY, _Reader(shop.rows(days, loaded_at=True)))
    connection.close()


def _each(server: Server, statements: Sequence[str], connections: int) -> None:
    """Run statements, several at a time."""
    with ThreadPoolExecutor(connections) as pool:
        list(pool.map(server.execute, statements))


def main() -> None:
    """Measure the fill."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fill", description=main.__doc__)
    parser.add_argument("--sessions", type=int, default=SESSIONS)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--model", action=argparse.BooleanOptionalAction, default=True)
    arguments = parser.parse_args()
    with throwaway_postgres(**SETTINGS) as server:
        server.create_database()
        started = time.perf_counter()
        shop = Shop(arguments.sessions, seed=1, end=date.today() - timedelta(days=2))
        print(f"plan of {shop.sessions:,} sessions: {time.perf_counter() - started:.1f} s", flush=True)
        for name, seconds in fill(server, shop, arguments.processes, arguments.model).items():
            print(f"{name:<8} {seconds:7.1f} s")
        [(rows, pages)] = server.execute(
            "SELECT count(*), count(*) FILTER (WHERE event_name = 'page_view') FROM clickstream_events"
        )
        [(size,)] = server.execute("SELECT pg_database_size(current_database())")
        print(f"{rows:,} rows, {pages:,} of them page views")
        print(f"{size / 1e9:.2f} GB, {size / rows:.0f} bytes per event")
        for table, heap, whole in server.execute(SIZES):
            print(f"{table:<28} {heap / 1e6:9,.1f} MB and with its indexes {whole / 1e6:9,.1f} MB")


SIZES = r"""
SELECT CASE WHEN relname LIKE 'clickstream\_events%' THEN 'clickstream_events' ELSE relname END AS name,
    sum(pg_table_size(oid))::float8, sum(pg_total_relation_size(oid))::float8 AS whole
FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace
GROUP BY name HAVING sum(pg_total_relation_size(oid)) > 1000000 ORDER BY whole DESC
"""

if __name__ == "__main__":
    main()
