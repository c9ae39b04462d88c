"""Rows <-> PostgreSQL's COPY text format, with the empty text for NULL. Pure.

No column of a row is an empty text: in the contract an empty text counts as an absent field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

NULL: Final = ""
TAB: Final = "\t"

_SPECIAL: Final = re.compile(r"[\\\t\n\r]")
_ESCAPES: Final = {"\\": r"\\", "\t": r"\t", "\n": r"\n", "\r": r"\r"}
_ESCAPE: Final = re.compile(r"\\.")
_VALUES: Final = {escape: value for value, escape in _ESCAPES.items()}


def copy_line(values: Iterable[str | None]) -> str:
    """Return one row as a line of COPY text, line feed included."""
    return TAB.join(map(copy_value, values)) + "\n"


def copy_value(value: str | None) -> str:
    """Return one value as COPY text."""
    if value is None:
        return NULL
    if _SPECIAL.search(value) is None:
        return value
    return _SPECIAL.sub(lambda match: _ESCAPES[match.group()], value)


def copy_values(line: str) -> list[str | None]:
    """Return the values of a line of `copy_line`."""
    return [copy_cell(value) for value in line[:-1].split(TAB)]


def copy_cell(text: str) -> str | None:
    """Return the value of one column of a line."""
    return _ESCAPE.sub(lambda match: _VALUES[match.group()], text) or None
