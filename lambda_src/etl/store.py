"""Raw objects in S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    ReadTimeoutError,
    ResponseStreamingError,
)

from etl.payload import Selection

READ_ATTEMPTS: Final = 3
"""How often a body that breaks off is asked for; the client repeats what fails before the body."""

_BROKEN_OFF: Final = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
_GONE: Final = frozenset({"NoSuchKey", "404"})


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A raw object as listed; `size` in bytes, `last_modified` in UTC."""

    key: str
    etag: str
    size: int
    last_modified: datetime


class ReadError(Exception):
    """An object could not be read; the message says why."""


class ObjectGone(ReadError):
    """The object was deleted after it was listed."""


class Store(Protocol):
    """What a run needs of S3."""

    def pages(self, selection: Selection) -> Iterator[list[ObjectInfo]]:
        """Yield the selected objects in the order of their keys, a page at a time."""

    def find(self, key: str) -> ObjectInfo | None:
        """Return one object, or None if it is gone."""

    def get(self, key: str) -> bytes:
        """Return an object's content. Raises ReadError. Called from several threads."""


class S3Store:
    """A bucket. `client` is a botocore S3 client."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def pages(self, selection: Selection) -> Iterator[list[ObjectInfo]]:
        """Yield the selected objects in the order of their keys, a page at a time."""
        start = {"StartAfter": selection.after} if selection.after else {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=selection.prefix, **start
        )
        for page in pages:
            found = [_info(entry) for entry in page.get("Contents", [])]
            # A key that ends in a slash is a folder that somebody made in the console.
            wanted = [info for info in found if not info.key.endswith("/")]
            if selection.before is None:
                yield wanted
                continue
            yield [info for info in wanted if info.key < selection.before]
            if found and found[-1].key >= selection.before:
                return

    def find(self, key: str) -> ObjectInfo | None:
        """Return one object, or None if it is gone."""
        answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        found = [_info(entry) for entry in answer.get("Contents", [])]
        return next((info for info in found if info.key == key), None)

    def get(self, key: str) -> bytes:
        """Return an object's content. Raises ReadError."""
        for attempt in range(1, READ_ATTEMPTS + 1):
            try:
                answer = self._client.get_object(Bucket=self._bucket, Key=key)
                content: bytes = answer["Body"].read()
                return content
            except _BROKEN_OFF as error:
                if attempt == READ_ATTEMPTS:
                    raise ReadError(f"broke off: {type(error).__name__}") from error
            except ClientError as error:
                code = str(error.response.get("Error", {}).get("Code", "unknown"))
                if code in _GONE:
                    raise ObjectGone("deleted after it was listed") from error
                raise ReadError(code) from error
            except BotoCoreError as error:
                raise ReadError(type(error).__name__) from error
        raise AssertionError("unreachable")


def _info(entry: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        key=entry["Key"],
        etag=entry["ETag"].strip('"'),
        size=entry["Size"],
        last_modified=entry["LastModified"],
    )
