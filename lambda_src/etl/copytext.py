"""Rows -> PostgreSQL's COPY text format. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

NULL: Final = r"\N"

_SPECIAL: Final = re.compile(r"[\\\t\n\r]")
_ESCAPES: Final = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}


def copy_line(values: Iterable[str | None]) -> str:
    """Return one row as a line of COPY text, line feed included."""
    return "\t".join(NULL if value is None else _escaped(value) for value in values) + "\n"


def _escaped(value: str) -> str:
    if _SPECIAL.search(value) is None:
        return value
    return _SPECIAL.sub(lambda match: _ESCAPES[match.group()], value)
