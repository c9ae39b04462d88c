"""What a verification finds at one station of the pipeline: a row of its closing table."""

from __future__ import annotations

from typing import Any, TypedDict


class Station(TypedDict):
    """One row: what was looked at, what it should be, what it is."""

    station: str
    expected: str
    found: str
    ok: bool


def station(name: str, expected: Any, found: Any) -> Station:
    """A row that is all right where ``found`` equals ``expected``."""
    return {"station": name, "expected": str(expected), "found": str(found), "ok": expected == found}


def counted(name: str, expected: int, found: int, what: str) -> Station:
    """A row for a count of things that must all be there, and no more."""
    return {
        "station": name,
        "expected": f"{expected} {what}",
        "found": f"{found} {what}",
        "ok": expected == found,
    }
