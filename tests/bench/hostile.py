"""Floods of events that somebody sends to do harm, and what they cost beside a shop's traffic.

Objects are in memory: the loader and PostgreSQL alone are measured, and their processor time, because a busy
computer changes it less than the time on the clock.
"""

from __future__ import annotations

import json
import os
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final, NamedTuple

from etl.settings import Tuning
from tests.bench import pages
from tests.bench.shop import Shop
from tests.support import raw_store
from tests.support.etl import run_etl
from tests.support.postgres import DATABASE, ThrowawayPostgres

raw_store.PAGE = 1000
DAY: Final = date(2025, 12, 6)
START: Final = datetime(2025, 12, 6, 5, tzinfo=UTC)
FUNNEL: Final = ("product_view", "add_to_cart_click", "checkout_start", "checkout_complete")
TINY, USUAL, GIANT = 1, 500, 20_000
SIZE: Final = (
    "SELECT sum(pg_total_relation_size(oid)) FROM pg_class "
    "WHERE relnamespace = 'public'::regnamespace AND relkind = 'r'"
)

Objects = dict[str, bytes]


def _event(number: int, name: str, client: str, product: dict[str, Any] | None = None) -> dict[str, Any]:
    # All of a flood are within one session, however many there are.
    at = START + timedelta(milliseconds=number * 10)
    sent = {"eventId": str(uuid.UUID(int=number + 1)), "eventName": name, "eventTimestamp": at.isoformat()}
    more = {"product": product} if product else {}
    return {**sent, "clientId": client, "pageUrl": f"https://shop.example/{number}", **more}


def one_session(total: int) -> Iterator[dict[str, Any]]:
    """A quarter each of views, carts, checkouts and completions of one client, of a shop's labels."""
    for number in range(total):
        step = number * 4 // total
        label = number % 50
        product = {"id": f"p{label}", "category": f"c{label % 8}", "brand": f"b{label % 10}"}
        yield _event(number, FUNNEL[step], "flood", product if step < 2 else None)


def purchases(total: int) -> Iterator[dict[str, Any]]:
    """Nothing but purchases, each of a client of its own."""
    for number in range(total):
        yield _event(number, "checkout_complete", f"buyer-{number}", {"id": f"p{number % 50}"})


def labels(total: int) -> Iterator[dict[str, Any]]:
    """The same as `one_session`, each view and cart with a category and brand of its own."""
    for number in range(total):
        step = number * 4 // total
        label = number % max(1, total // 4)
        product = {"id": f"p{label}", "category": f"c{label}", "brand": f"b{label}"}
        yield _event(number, FUNNEL[step], "flood", product if step < 2 else None)


def objects_of(events: Iterator[dict[str, Any]], sizes: tuple[int, ...] = (USUAL,)) -> Objects:
    """Raw objects of these events, of these sizes in turn."""
    objects: Objects = {}
    held = list(events)
    while held:
        size = sizes[len(objects) % len(sizes)]
        batch, held = held[:size], held[size:]
        ingest = {"receivedAt": (START + timedelta(minutes=40)).isoformat(), "requestId": "r"}
        key = f"events/2025/12/06/05/event-{len(objects):08}.json"
        objects[key] = json.dumps({"events": batch, "_ingest": ingest}).encode()
    return objects


FLOODS: Final[dict[str, Callable[[int], Objects]]] = {
    "one session": lambda total: objects_of(one_session(total)),
    "purchases": lambda total: objects_of(purchases(total)),
    "giant and tiny objects": lambda total: objects_of(purchases(total), (GIANT, *[TINY] * 50)),
    "labels": lambda total: objects_of(labels(total)),
}


class Loaded(NamedTuple):
    """A load: its seconds of processor time, and the bytes that it left, by event."""

    seconds: float
    bytes_per_event: float


def load(server: ThrowawayPostgres, objects: Objects) -> Loaded:
    """Load these objects into the warehouse as it is."""
    [(before,)] = server.execute(SIZE)
    server.execute("CHECKPOINT")
    started = _processor_time(server)
    answer = run_etl(
        server,
        raw_store.RawStore(objects),
        tuning=Tuning(),
        seconds_left=lambda: 900.0,
        now=datetime.now(UTC),
    )
    seconds = _processor_time(server) - started
    assert answer["status"] == "complete" and answer["objects"]["set_aside"] == 0, answer
    server.execute("UPDATE etl_watermark SET listed_from = ''")
    [(after,)] = server.execute(SIZE)
    return Loaded(seconds, float(after - before) / max(1, answer["events"]["loaded"]))


def _processor_time(server: ThrowawayPostgres) -> float:
    """Return the seconds of this process and of the server's sessions, which have all ended."""
    postmaster = (server.directory / "data" / "postmaster.pid").read_text().split()[0]
    children = Path(f"/proc/{postmaster}/task/{postmaster}/children")
    while any(map(_is_session, children.read_text().split())):
        time.sleep(0.01)
    of_children = Path(f"/proc/{postmaster}/stat").read_text().rsplit(")", 1)[1].split()[13:15]
    return time.process_time() + sum(map(int, of_children)) / os.sysconf("SC_CLK_TCK")


def _is_session(process: str) -> bool:
    """Say whether it is a session of the warehouse, or one that ended and is not counted yet."""
    try:
        title = Path(f"/proc/{process}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return True
    return title == b"" or DATABASE.encode() in title


def page_bytes(server: ThrowawayPostgres) -> dict[str, int]:
    """How many bytes of JSON a page's queries answer, with the choices of its filters."""
    asked = {name: [*queries, ("filter_choices",)] for name, queries in pages.PAGES.items()}
    reader = pages.Reader(server)
    first = DAY - timedelta(days=1)
    return {
        page: sum(
            reader.size(query[0], pages.question(query[0], query[1:], first, DAY, ("", "", "")))
            for query in queries
        )
        for page, queries in asked.items()
    }


def traffic() -> list[Objects]:
    """Three shops' traffic of the same days, to be loaded one after another."""
    return [dict(Shop(2_500, seed=seed, end=DAY, days=2).raw_objects()) for seed in (1, 2, 3)]


def load_traffic(server: ThrowawayPostgres, shops: list[Objects]) -> list[float]:
    """Load the shops' traffic; return the seconds of each load."""
    return [load(server, shop).seconds for shop in shops]
