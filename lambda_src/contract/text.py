"""Text that PostgreSQL can store.

PostgreSQL stores neither NUL nor a lone surrogate (half of a pair, which JavaScript makes when it cuts a
string in the middle of an emoji). Neither is a reason to lose an event: the raw object keeps them as sent,
and a row has U+FFFD, the replacement character, in their place.
"""

from __future__ import annotations

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"


def storable_text(text: str) -> str:
    """Return `text` with U+FFFD for every character that PostgreSQL cannot store."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def storable_json(value: object) -> object:
    """Return a parsed JSON value whose texts, names included, are all storable."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, list):
        return [storable_json(child) for child in value]
    if isinstance(value, dict):
        return {storable_text(key): storable_json(child) for key, child in value.items()}
    return value
