"""Reading ahead: in order, concurrently, within bounds; and S3 behind it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectTimeoutError, IncompleteReadError

from etl.payload import Selection
from etl.reading import AHEAD, read_ahead
from etl.store import ObjectGone, ObjectInfo, ReadError, S3Store

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


def test_in_order_with_errors_in_their_place() -> None:
    reads = list(read_ahead(SlowStore(0.002), infos(20), 8, 10**9, 100))
    assert [read.info.key for read in reads] == [info.key for info in infos(20)]
    assert [read.info.key for read in reads if read.error] == ["k0003"]
    assert all(read.content == read.info.key.encode() for read in reads if not read.error)


def test_concurrently() -> None:
    store = SlowStore(0.02)
    started = time.monotonic()
    list(read_ahead(store, infos(64), 16, 10**9, 100))
    assert 8 < store.most <= 16
    assert time.monotonic() - started < 64 * 0.02 / 3


@pytest.mark.parametrize(("max_bytes", "ahead"), [(10**9, 4 * AHEAD), (35, 3), (1, 1)])
def test_no_more_is_held_than_allowed(max_bytes: int, ahead: int) -> None:
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


def test_nothing_to_read() -> None:
    assert list(read_ahead(SlowStore(), [], 2, 10, 10)) == []


class Body:
    def __init__(self, *results: bytes | Exception) -> None:
        self.results = list(results)

    def read(self) -> bytes:
        result = self.results.pop(0)
        if isinstance(result, Exception):
            raise result
        return result


class Client:
    """An S3 client that answers what it is given, in turn."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def get_object(self, **_: str) -> dict[str, Any]:
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Body": Body(answer[0])} if isinstance(answer, list) else {"Body": Body(answer)}


BROKEN = IncompleteReadError(actual_bytes=1, expected_bytes=2)


def test_a_body_that_breaks_off_is_read_again() -> None:
    assert S3Store(Client([BROKEN], [BROKEN], [b"whole"]), "b").get("k") == b"whole"
    with pytest.raises(ReadError, match="broke off"):
        S3Store(Client([BROKEN], [BROKEN], [BROKEN]), "b").get("k")


@pytest.mark.parametrize(
    ("fault", "expected", "gone"),
    [
        (ClientError({"Error": {"Code": "AccessDenied"}}, "GetObject"), "AccessDenied", False),
        (ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject"), "deleted", True),
        (ConnectTimeoutError(endpoint_url="https://s3"), "ConnectTimeoutError", False),
    ],
)
def test_faults_are_named(fault: Exception, expected: str, gone: bool) -> None:
    with pytest.raises(ReadError, match=expected) as error:
        S3Store(Client(fault), "b").get("k")
    assert isinstance(error.value, ObjectGone) is gone
