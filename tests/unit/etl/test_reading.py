"""Reading ahead: in order, concurrently, within bounds; and S3 behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from etl.fetch import Fetcher, signed_headers
from etl.payload import Selection
from etl.reading import AHEAD, read_ahead
from etl.store import ObjectGone, ObjectInfo, ReadError, S3Store, aws_session

NOW = datetime(2025, 12, 6, tzinfo=UTC)


def infos(count: int, size: int = 10) -> list[ObjectInfo]:
    return [ObjectInfo(f"k{number:04}", "e", size, NOW) for number in range(count)]


class SlowStore:
    """Answers after a moment; remembers how many reads ran at once and how much was held."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.running = self.most = self.started = 0
        self.lock = threading.Lock()

    def pages(self, selection: Selection) -> Iterator[list[ObjectInfo]]:
        raise AssertionError(selection)

    def find(self, key: str) -> ObjectInfo | None:
        raise AssertionError(key)

    def get(self, key: str) -> bytes:
        with self.lock:
            self.running += 1
            self.started += 1
            self.most = max(self.most, self.running)
        time.sleep(self.delay)
        with self.lock:
            self.running -= 1
        if key == "k0003":
            raise ReadError("AccessDenied")
        return key.encode()


def test_objects_come_in_order_with_errors_in_their_place() -> None:
    reads = list(read_ahead(SlowStore(0.002), infos(20), 8, 10**9, 100))
    assert [read.info.key for read in reads] == [info.key for info in infos(20)]
    assert [read.info.key for read in reads if read.error] == ["k0003"]
    assert all(read.content == read.info.key.encode() for read in reads if not read.error)


def test_objects_are_read_concurrently() -> None:
    store = SlowStore(0.02)
    started = time.monotonic()
    list(read_ahead(store, infos(64), 16, 10**9, 100))
    assert 8 < store.most <= 16
    assert time.monotonic() - started < 64 * 0.02 / 3


@pytest.mark.parametrize(("max_bytes", "ahead"), [(10**9, 4 * AHEAD), (35, 3), (1, 1)])
def test_no_more_is_read_ahead_than_allowed(max_bytes: int, ahead: int) -> None:
    store = SlowStore()
    reads = read_ahead(store, infos(100), 4, max_bytes, 100)
    next(reads)
    time.sleep(0.05)
    assert store.started <= ahead
    reads.close()


def test_a_large_object_is_reported_and_not_read() -> None:
    store = SlowStore()
    [read] = read_ahead(store, infos(1, size=101), 2, 10**9, 100)
    assert str(read.error) == "larger than 100 bytes" and store.started == 0


def test_an_empty_listing_reads_nothing() -> None:
    assert list(read_ahead(SlowStore(), [], 2, 10, 10)) == []


class S3(BaseHTTPRequestHandler):
    """Answers what it is given, in turn; None breaks the connection off, an int is a status."""

    protocol_version = "HTTP/1.1"
    answers: ClassVar[list[bytes | int | None]] = []
    seen: ClassVar[list[tuple[str, str]]] = []

    def do_GET(self) -> None:
        self.seen.append((self.path, self.headers["Authorization"]))
        answer = self.answers.pop(0)
        status, body = (200, answer) if isinstance(answer, bytes) else (answer, b"")
        if status is None:
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"half")
            self.close_connection = True
            return
        if status != 200:
            code = {403: "AccessDenied", 404: "NoSuchKey", 503: "SlowDown"}[status]
            body = f"<Error><Code>{code}</Code></Error>".encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def bucket() -> Iterator[str]:
    S3.answers, S3.seen = [], []
    server = ThreadingHTTPServer(("127.0.0.1", 0), S3)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/bucket"
    server.shutdown()
    server.server_close()


def fetcher() -> Fetcher:
    return Fetcher(Credentials("key", "secret"), "ap-southeast-1", pause=lambda _: None)


def test_an_interrupted_or_busy_answer_is_tried_again(bucket: str) -> None:
    S3.answers = [None, 503, b"whole", b"next"]
    reader = fetcher()
    assert reader.get(bucket, "events/a b+c.json") == b"whole"
    assert reader.get(bucket, "k") == b"next"
    assert S3.seen[0][0] == "/bucket/events/a%20b%2Bc.json"
    assert "/ap-southeast-1/s3/aws4_request" in S3.seen[0][1]


@pytest.mark.parametrize(
    ("answers", "expected", "gone"),
    [
        ([403], "AccessDenied", False),
        ([404], "deleted", True),
        ([503] * 4, "SlowDown", False),
        ([None] * 4, "broke off", False),
    ],
)
def test_a_read_error_says_what_s3_answered(
    bucket: str, answers: list[Any], expected: str, gone: bool
) -> None:
    S3.answers = list(answers)
    with pytest.raises(ReadError, match=expected) as error:
        fetcher().get(bucket, "k")
    assert isinstance(error.value, ObjectGone) is gone and not S3.answers


@pytest.mark.parametrize("token", [None, "a/session+token=="])
@pytest.mark.parametrize("path", ["/bucket/events/k.json", "/a%20b%2Bc~%C3%BC.json", "/"])
def test_requests_are_signed_as_botocore_signs_them(token: str | None, path: str) -> None:
    credentials = Credentials("key", "secret", token)
    now = "20251206T055900Z"
    headers = signed_headers(credentials.get_frozen_credentials(), "eu-central-1", "s3.test:81", path, now)
    claimed = headers.pop("authorization")
    request = AWSRequest("GET", f"http://s3.test:81{path}", headers=headers)
    request.context["timestamp"] = now
    signer = S3SigV4Auth(credentials, "s3", "eu-central-1")
    to_sign = signer.string_to_sign(request, signer.canonical_request(request))
    signed = signer.signed_headers(signer.headers_to_sign(request))
    assert claimed == (
        f"AWS4-HMAC-SHA256 Credential={signer.scope(request)},SignedHeaders={signed},"
        f"Signature={signer.signature(to_sign, request)}"
    )


def test_a_connection_that_is_closed_after_its_answer_is_opened_again(bucket: str) -> None:
    S3.answers, S3.protocol_version = [b"one", b"two"], "HTTP/1.0"
    try:
        waits: list[float] = []
        reader = Fetcher(Credentials("key", "secret"), "ap-southeast-1", pause=waits.append)
        assert [reader.get(bucket, "k"), reader.get(bucket, "k")] == [b"one", b"two"]
    finally:
        S3.protocol_version = "HTTP/1.1"
    assert waits == [], "no request was lost on a connection that S3 had closed"


def test_a_refused_connection_is_a_read_error() -> None:
    with pytest.raises(ReadError, match="ConnectionRefused"):
        fetcher().get("http://127.0.0.1:9", "k")


def test_objects_are_read_where_botocore_lists_them(bucket: str) -> None:
    session = aws_session()
    session.set_credentials("key", "secret")
    client = session.create_client(
        "s3",
        region_name="ap-southeast-1",
        endpoint_url=bucket.rsplit("/", 1)[0],
        config=Config(s3={"addressing_style": "path"}),
    )
    S3.answers = [LISTING, b"object"]
    store = S3Store(client, "bucket", fetcher())
    [[info]] = list(store.pages(Selection()))
    assert info.last_modified == datetime(2025, 12, 6, 5, tzinfo=UTC)
    assert store.get(info.key) == b"object"
    assert S3.seen[1][0] == "/bucket/events/k.json"


LISTING = (
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><IsTruncated>false</IsTruncated>'
    b"<Contents><Key>events/k.json</Key><LastModified>2025-12-06T05:00:00.000Z</LastModified>"
    b"<ETag>&quot;e&quot;</ETag><Size>6</Size></Contents></ListBucketResult>"
)
