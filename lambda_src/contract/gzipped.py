"""gzip in, within a limit: a small body may unpack to gigabytes."""

from __future__ import annotations

import zlib
from typing import Final

MAGIC: Final = b"\x1f\x8b"
"""The first two bytes of gzip data."""

# 16 asks zlib for a gzip header instead of its own.
_WINDOW_BITS: Final = zlib.MAX_WBITS | 16


class BrokenGzip(ValueError):
    """The data is not gzip, or cut short; the message is fit for an answer."""


class TooLarge(ValueError):
    """The data unpacks to more than the limit."""


def gunzip(data: bytes, limit: int) -> bytes:
    """Unpack `data`, one or more gzip members, to at most `limit` bytes.

    Raises BrokenGzip or TooLarge; never holds more than the limit and one byte.
    """
    parts: list[bytes] = []
    left = limit
    while data:
        member = zlib.decompressobj(_WINDOW_BITS)
        try:
            part = member.decompress(data, left + 1)
        except zlib.error:
            raise BrokenGzip("broken gzip") from None
        left -= len(part)
        if left < 0:
            raise TooLarge(f"more than {limit} bytes when unpacked")
        if not member.eof:
            raise BrokenGzip("gzip cut short")
        parts.append(part)
        # Zeros may pad the last member.
        data = member.unused_data.lstrip(b"\0")
    return b"".join(parts)
