"""Raw objects in S3."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import urlsplit

import botocore.session
from botocore.utils import parse_timestamp

from etl.fetch import Fetcher, ObjectGone, ReadError
from etl.payload import Selection

__all__ = ["ObjectGone", "ObjectInfo", "ReadError", "S3Store", "Store", "aws_session"]


def aws_session() -> Any:
    """Return a botocore session that parses times with `datetime.fromisoformat`.

    A listing has a time for every object, and botocore's parser takes longer for it than the loader for an
    event.
    """
    session = botocore.session.get_session()
    session.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=_timestamp)
    return session


def _timestamp(value: Any) -> datetime:
    try:
        return datetime.fromisoformat(value)
    except (TypeError, ValueError):
        read: datetime = parse_timestamp(value)
        return read


@dataclass(frozen=True, slots=True)
class ObjectInfo:
    """A raw object as listed; `size` in bytes, `last_modified` in UTC."""

    key: str
    etag: str
    size: int
    last_modified: datetime


class Store(Protocol):
    """What a run needs of S3."""

    def pages(self, selection: Selection) -> Iterator[list[ObjectInfo]]:
        """Yield the selected objects in the order of their keys, a page at a time."""

    def find(self, key: str) -> ObjectInfo | None:
        """Return one object, or None if it does not exist."""

    def get(self, key: str) -> bytes:
        """Return an object's content. Raises ReadError. Called from several threads."""


class S3Store:
    """A bucket. `client`, a botocore S3 client, lists objects; `fetcher` reads them."""

    def __init__(self, client: Any, bucket: str, fetcher: Fetcher) -> None:
        self._client = client
        self._bucket = bucket
        self._fetcher = fetcher
        self._base = ""
        client.meta.events.register("before-send.s3.ListObjectsV2", self._note_address)

    def pages(self, selection: Selection) -> Iterator[list[ObjectInfo]]:
        """Yield the selected objects in the order of their keys, a page at a time."""
        start = {"StartAfter": selection.after} if selection.after else {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self._bucket, Prefix=selection.prefix, **start
        )
        for page in pages:
            found = [_info(entry) for entry in page.get("Contents", [])]
            # A key that ends in a slash is a folder that was made in the console.
            wanted = [info for info in found if not info.key.endswith("/")]
            if selection.before is None:
                yield wanted
                continue
            yield [info for info in wanted if info.key < selection.before]
            if found and found[-1].key >= selection.before:
                return

    def find(self, key: str) -> ObjectInfo | None:
        """Return one object, or None if it does not exist."""
        answer = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        found = [_info(entry) for entry in answer.get("Contents", [])]
        return next((info for info in found if info.key == key), None)

    def get(self, key: str) -> bytes:
        """Return the content of an object that was listed. Raises ReadError."""
        return self._fetcher.get(self._base, key)

    def _note_address(self, request: Any, **_: object) -> None:
        """Remember the bucket's URL, which botocore makes of region, endpoint and addressing style."""
        parts = urlsplit(request.url)
        self._base = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _info(entry: dict[str, Any]) -> ObjectInfo:
    return ObjectInfo(
        key=entry["Key"],
        etag=entry["ETag"].strip('"'),
        size=entry["Size"],
        last_modified=entry["LastModified"],
    )
