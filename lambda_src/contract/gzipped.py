"""gzip in, within a limit: a small body may unpack to gigabytes."""

from __future__ import annotations

import re
import zlib
from typing import Final

MAGIC: Final = b"\x1f\x8b"
"""The first two bytes of gzip data."""

# 16 asks zlib for a gzip header instead of its own.
_WINDOW_BITS: Final = zlib.MAX_WBITS | 16
_SLICE: Final = 4096
_ZEROS: Final = re.compile(rb"\0*")


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
    view = memoryview(data)
    position = 0
    while position < len(data):
        member = zlib.decompressobj(_WINDOW_BITS)
        while not member.eof:
            # By slices: what follows a member is copied, and a body may be nothing but tiny members.
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
        # Zeros may pad the last member.
        position = _ZEROS.match(data, position).end()  # type: ignore[union-attr]  # matches always
    return b"".join(parts)
