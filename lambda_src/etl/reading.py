"""Reads objects ahead of the parser: concurrently, in order, and within a bound of memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

from etl.store import ObjectInfo, ReadError, Store

AHEAD: Final = 4
"""Objects that are being read or wait to be parsed, as a multiple of the readers."""


@dataclass(frozen=True, slots=True)
class Read:
    """A listed object with its content, or with the error that reading it gave."""

    info: ObjectInfo
    content: bytes | None = None
    error: ReadError | None = None


def read_ahead(
    store: Store, objects: Iterable[ObjectInfo], readers: int, max_bytes: int, max_object: int
) -> Generator[Read, None, None]:
    """Yield `objects` in their order with their content, read by `readers` threads.

    At most `max_bytes` of content (by listed size; at least one object) are held ahead of the consumer. An
    object larger than `max_object` bytes is not read. The consumer's thread advances `objects`. Closing the
    iterator abandons the reads in progress.
    """
    window: deque[tuple[ObjectInfo, Future[bytes] | None]] = deque()
    held = 0
    source = iter(objects)
    waiting = next(source, None)
    pool = ThreadPoolExecutor(readers, thread_name_prefix="read")
    try:
        while window or waiting is not None:
            while waiting is not None and len(window) < readers * AHEAD:
                if window and held + waiting.size > max_bytes:
                    break
                too_large = waiting.size > max_object
                window.append((waiting, None if too_large else pool.submit(store.get, waiting.key)))
                held += 0 if too_large else waiting.size
                waiting = next(source, None)
            info, future = window.popleft()
            if future is None:
                yield Read(info, error=ReadError(f"larger than {max_object} bytes"))
                continue
            held -= info.size
            yield _result(info, future)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _result(info: ObjectInfo, future: Future[bytes]) -> Read:
    try:
        return Read(info, content=future.result())
    except ReadError as error:
        return Read(info, error=error)
