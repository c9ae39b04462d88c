"""A shop's pages and the collector, on two origins of this machine: what the tracker meets in a browser."""

from __future__ import annotations

import csv
import io
import json
import os
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

from contract.timestamps import ClockRules
from etl.records import read_object
from etl.row import Row
from tests.support.etl import empty, run_etl
from tests.support.postgres import LOADER, ThrowawayPostgres
from tests.support.raw_store import LAST_MODIFIED, RawStore

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "files/tracker/dist/tracker.js"
MODULE = PROJECT / "files/tracker/dist/tracker.mjs"
PATIENCE = 60.0

Fault = Callable[[int], str]
"""A request's number -> what happens to it: `ok`, `lost` (stored, but no answer), `down`, or a status."""


ONE_AT_A_TIME = threading.Lock()
"""The function's client is its module's, and a page that closes may still send while the next test runs."""


def stored_by(objects: dict[str, bytes]) -> Any:
    """The collector's entry point, with S3 replaced by `objects`."""
    names = ("RAW_BUCKET", "AWS_DEFAULT_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
    before = {name: os.environ.get(name) for name in names}
    os.environ.update(dict.fromkeys(names, "x"))
    try:
        import ingest.handler as module
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})

    class S3:
        def put_object(self, **put: Any) -> None:
            objects[put["Key"]] = put["Body"]

    def handler(event: dict[str, Any], context: object) -> Any:
        with ONE_AT_A_TIME:
            module._S3 = S3()  # type: ignore[misc]
            return module.handler(event, context)  # type: ignore[arg-type]

    return handler


@dataclass
class Collector:
    """The collector's function behind what API Gateway does: routes, CORS, and a token that it knows."""

    url: str = ""
    origins: set[str] = field(default_factory=set)
    token: str = ""
    """What `/clickstream/me` takes; its subject is `sub`."""
    fault: Fault = lambda number: "ok"
    objects: dict[str, bytes] = field(default_factory=dict)
    requests: list[dict[str, Any]] = field(default_factory=list)
    """The bodies that arrived, also those of requests that failed."""
    answers: list[int] = field(default_factory=list)

    def raw(self) -> list[dict[str, Any]]:
        """The events as stored, each id once, in their order of receipt."""
        events = [event for body in list(self.objects.values()) for event in json.loads(body)["events"]]
        return list({event["eventId"]: event for event in reversed(events)}.values())[::-1]

    def rows(self) -> list[Row]:
        """What the ETL makes of all that is stored, before it counts each id once."""
        rows = []
        for key, body in list(self.objects.items()):
            read = read_object(body, key, LAST_MODIFIED, ClockRules(), 10**7)
            assert read.rejected == []
            rows += [Row.of_line(line) for _, line in read.lines]
        return rows

    def load(self, server: ThrowawayPostgres) -> list[dict[str, str | None]]:
        """Load all that is stored with the ETL; return what the warehouse then holds, as texts by column."""
        empty(server)
        answer = run_etl(server, RawStore(dict(self.objects)), now=datetime.now(UTC))
        assert answer["status"] == "complete"
        query = f"SELECT {', '.join(Row._fields)} FROM clickstream_events"  # noqa: S608
        found = io.StringIO()
        with closing(server.connect(LOADER)) as connection, connection.cursor() as cursor:
            cursor.copy_expert(f"COPY ({query}) TO STDOUT (FORMAT csv, HEADER)", found)
        found.seek(0)
        return [{name: text or None for name, text in row.items()} for row in csv.DictReader(found)]

    def names(self) -> list[str]:
        """The names of the events that count, by their ids, which are in the order of their times."""
        return [event["eventName"] for event in sorted(self.raw(), key=lambda event: event["eventId"])]

    def wait(self, until: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait until something is so."""
        end = time.monotonic() + seconds
        while not until():
            assert time.monotonic() < end, f"stored: {self.names()}; answers: {self.answers}"
            time.sleep(0.02)

    def has(self, *names: str) -> list[dict[str, Any]]:
        """Wait for as many events as names, and return them in that order; they are these and no others.

        Events of one name come in the order in which they happened. The view of a page that is being loaded
        may be later than what a test does on it.
        """
        self.wait(lambda: len(self.raw()) >= len(names))
        assert sorted(self.names()) == sorted(names)
        events = sorted(self.raw(), key=lambda event: event["eventId"])
        return [events.pop([event["eventName"] for event in events].index(name)) for name in names]


@dataclass
class Site:
    """A shop's pages."""

    origin: str
    collector: Collector
    pages: dict[str, tuple[str, dict[str, str]]] = field(default_factory=dict)

    def page(
        self,
        path: str = "/",
        options: dict[str, Any] | None = None,
        first: str = "",
        last: str = "",
        body: str = "",
        headers: dict[str, str] | None = None,
        tags: int = 1,
    ) -> str:
        """Serve a page with the tracker. `first` and `last` are scripts before and after its options."""
        given = {"url": self.collector.url, "interval": 50, "retry": 50, **(options or {})}
        head = f"<script nonce=n>{first}\nclickstreamOptions = {json.dumps(given)}\n{last}</script>"
        head += '<script src="/tracker.js"></script>' * tags
        self.pages[path.split("?")[0]] = (
            f"<!doctype html><title>{path}</title>{head}<body>{body}",
            headers or {},
        )
        return self.origin + path


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: ClassVar[Any]

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {**(headers or {}), "content-length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)


class _Pages(_Handler):
    owner: ClassVar[Site]

    def do_GET(self) -> None:
        path = self.path.split("?")[0]
        scripts = {"/tracker.js": SCRIPT, "/tracker.mjs": MODULE}
        if path in scripts:
            headers = {"content-type": "text/javascript", "access-control-allow-origin": "*"}
            self.answer(200, scripts[path].read_bytes(), headers)
        elif path in self.owner.pages:
            html, headers = self.owner.pages[path]
            self.answer(200, html.encode(), {"content-type": "text/html; charset=utf-8", **headers})
        else:
            self.answer(404)


class _Gateway(_Handler):
    owner: ClassVar[Collector]
    function: ClassVar[Any]
    lock: ClassVar[threading.Lock]

    def cors(self) -> dict[str, str]:
        origin = self.headers.get("origin", "")
        return {"access-control-allow-origin": origin} if origin in self.owner.origins else {}

    def do_OPTIONS(self) -> None:
        methods = {
            "access-control-allow-methods": "POST",
            "access-control-allow-headers": "authorization,content-type",
        }
        self.answer(204, headers={**self.cors(), **methods, "access-control-max-age": "300"})

    def do_POST(self) -> None:
        with self.lock:
            text = self.rfile.read(int(self.headers["content-length"])).decode()
            self.owner.requests.append(json.loads(text))
            fault = self.owner.fault(len(self.owner.requests))
            if fault == "down":
                self.owner.answers.append(0)
                self.close_connection = True
                return
            status, body = (int(fault), "{}") if fault.isdigit() else self.invoke(text)
            self.owner.answers.append(0 if fault == "lost" else status)
        if fault == "lost":
            self.close_connection = True
            return
        self.answer(status, body.encode(), {"content-type": "application/json", **self.cors()})

    def invoke(self, text: str) -> tuple[int, str]:
        """The function's answer; API Gateway's own where it does not come to that."""
        http = {
            "method": "POST",
            "path": self.path,
            "sourceIp": "203.0.113.7",
            "userAgent": self.headers["user-agent"],
        }
        context: dict[str, Any] = {"requestId": str(uuid.uuid4()), "http": http}
        if self.path == "/clickstream/me":
            if self.headers.get("authorization") != f"Bearer {self.owner.token}":
                return 401, '{"message":"Unauthorized"}'
            context["authorizer"] = {"jwt": {"claims": {"sub": "sub"}}}
        elif self.path != "/clickstream":
            return 404, '{"message":"Not Found"}'
        event = {
            "routeKey": f"POST {self.path}",
            "headers": {name.lower(): value for name, value in self.headers.items()},
            "requestContext": context,
            "body": text,
            "isBase64Encoded": False,
        }
        response = self.function(event, None)
        return response["statusCode"], response["body"]


@contextmanager
def serve() -> Iterator[Site]:
    """Pages on `localhost`, and the collector on another origin, `127.0.0.1`."""
    collector = Collector()
    site = Site("", collector)
    # The function is a class's attribute: without staticmethod it would become a method.
    function = staticmethod(stored_by(collector.objects))
    shared = {"owner": collector, "function": function, "lock": threading.Lock()}
    servers = [
        ThreadingHTTPServer(("127.0.0.1", 0), type("Pages", (_Pages,), {"owner": site})),
        ThreadingHTTPServer(("127.0.0.1", 0), type("Gateway", (_Gateway,), shared)),
    ]
    site.origin, collector.url = (
        f"http://{host}:{server.server_port}"
        for host, server in zip(("localhost", "127.0.0.1"), servers, strict=True)
    )
    collector.url += "/clickstream"
    collector.origins.add(site.origin)
    threads = [threading.Thread(target=server.serve_forever, args=(0.05,)) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield site
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
        for thread in threads:
            thread.join()
