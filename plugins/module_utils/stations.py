"""What a verification finds at one station of the pipeline: a row of the table that it ends with."""

from __future__ import annotations

from typing import Any, TypedDict


class Station(TypedDict):
    """One row: what was checked, what it should be, what it is, and whether it passes."""

    station: str
    expected: str
    found: str
    ok: bool


def station(name: str, expected: Any, found: Any) -> Station:
    """A row that passes where ``found`` equals ``expected``."""
    return {"station": name, "expected": str(expected), "found": str(found), "ok": expected == found}


def counted(name: str, expected: int, found: int, what: str) -> Station:
    """A row for a count, which must be exact."""
    return {
        "station": name,
        "expected": f"{expected} {what}",
        "found": f"{found} {what}",
        "ok": expected == found,
    }
