"""Decompression of gzip within a limit: a small body may unpack to gigabytes."""

from __future__ import annotations

import re
import zlib
from typing import Final

MAGIC: Final = b"\x1f\x8b"
"""The first two bytes of gzip data."""

# With 16, zlib expects a gzip header instead of its own.
_WINDOW_BITS: Final = zlib.MAX_WBITS | 16
_SLICE: Final = 4096
_ZEROS: Final = re.compile(rb"\0*")


class BrokenGzip(ValueError):
    """The data is not gzip, or is cut short; the message may be shown to the client."""


class TooLarge(ValueError):
    """The data unpacks to more than the limit."""


def gunzip(data: bytes, limit: int) -> bytes:
    """Unpack `data`, one or more gzip members, to at most `limit` bytes.

    Raises BrokenGzip or TooLarge; never unpacks more than the limit and one byte.
    """
    parts: list[bytes] = []
    left = limit
    view = memoryview(data)
    position = 0
    while position < len(data):
        member = zlib.decompressobj(_WINDOW_BITS)
        while not member.eof:
            # In slices: zlib copies all that follows a member, and a body may consist of tiny members.
            piece = view[position : position + _SLICE]
            if not piece:
                raise BrokenGzip("gzip cut short")
            try:
                part = member.decompress(piece, left + 1)
            except zlib.error:
                raise BrokenGzip("broken gzip") from None
            left -= len(part)
            if left < 0:
                raise TooLarge(f"more than {limit} bytes when unpacked")
            parts.append(part)
            position += len(piece) - len(member.unused_data)
        # Zeros may follow a member as padding.
        position = _ZEROS.match(data, position).end()  # type: ignore[union-attr]  # matches always
    return b"".join(parts)
