"""A raw bucket in memory, instead of S3."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from etl.payload import Selection
from etl.store import ObjectGone, ObjectInfo, ReadError

LAST_MODIFIED = datetime(2025, 12, 6, 5, 30, tzinfo=UTC)
PAGE = 7
"""Keys per page: small, so that tests read several pages."""


@dataclass
class RawStore:
    """A bucket. Reading a key of `unreadable` fails; one of `gone` is deleted once it was listed."""

    objects: dict[str, bytes] = field(default_factory=dict)
    unreadable: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    reads: list[str] = field(default_factory=list)

    def put(self, key: str, body: Any) -> None:
        """Store bytes as they are, and anything else as JSON."""
        self.objects[key] = body if isinstance(body, bytes) else json.dumps(body).encode()

    def pages(self, selection: Selection) -> Iterator[list[ObjectInfo]]:
        """Yield the selected objects as S3 does."""
        keys = [
            key
            for key in sorted(self.objects)
            if key.startswith(selection.prefix)
            and key > selection.after
            and (selection.before is None or key < selection.before)
        ]
        for start in range(0, len(keys), PAGE):
            yield [self._info(key) for key in keys[start : start + PAGE] if key in self.objects]

    def find(self, key: str) -> ObjectInfo | None:
        """Return one object."""
        return self._info(key) if key in self.objects else None

    def get(self, key: str) -> bytes:
        """Return an object's content."""
        self.reads.append(key)
        if key in self.unreadable:
            raise ReadError("AccessDenied")
        if key in self.gone or key not in self.objects:
            raise ObjectGone("deleted after it was listed")
        return self.objects[key]

    def _info(self, key: str) -> ObjectInfo:
        content = self.objects[key]
        etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        return ObjectInfo(key, etag, len(content), LAST_MODIFIED)
