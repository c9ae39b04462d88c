"""The platform's event names, and other names that clients send for the same events.

The table is `event_names.json` beside this file. The loader copies its aliases into the warehouse
(`event_name_aliases`).
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
"""Event names that the platform knows. Events with other names are accepted too."""

ALIASES: Final[dict[str, str]] = _TABLE["aliases"]
"""Alias -> event name."""


def canonical_name(name: str) -> str:
    """Return the event name for `name`, a clean text: an alias is resolved."""
    return ALIASES.get(name, name)
