"""Event names in use and the aliases that older or foreign trackers send.

The one table is `event_names.json` beside this file. The loader copies its aliases into the
warehouse (`event_name_aliases`) and the tracker is built from the same file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final, TypedDict


class _Table(TypedDict):
    names: list[str]
    aliases: dict[str, str]


_TABLE: Final[_Table] = json.loads(Path(__file__).with_name("event_names.json").read_text(encoding="utf-8"))

NAMES: Final[frozenset[str]] = frozenset(_TABLE["names"])
"""Names that the platform knows. Others are events too."""

ALIASES: Final[dict[str, str]] = _TABLE["aliases"]
"""Alias -> name in use."""


def canonical_name(name: str) -> str:
    """Return the name in use for `name`: stripped, and with an alias resolved."""
    stripped = name.strip()
    return ALIASES.get(stripped, stripped)
