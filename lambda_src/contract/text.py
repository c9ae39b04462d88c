"""Text as the warehouse stores it.

PostgreSQL stores neither NUL nor a lone surrogate (half of a pair, which JavaScript makes when it cuts a
string in the middle of an emoji). Neither is a reason to lose an event: the raw object keeps them as sent,
and a row has U+FFFD, the replacement character, in their place.

What people and pages write is one text in several spellings: with white space around it, with accents as
characters of their own. A row has one of them.
"""

from __future__ import annotations

import re
from typing import Final
from unicodedata import normalize

NO_WIDTH: Final = "\u180e\u200b\u2060\ufeff"
"""Characters without a width, which Unicode does not count as white space."""

_SPACE: Final = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008"
    f"\u2009\u200a\u2028\u2029\u202f\u205f\u3000{NO_WIDTH}"
)
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
NO_IDS: Final = frozenset(
    {
        *("undefined", "null", "nan", "none", "[object object]", "0", "-"),
        *("00000000-0000-0000-0000-000000000000", "00000000000000000000000000000000"),
    }
)
"""What pages write where they have no id, in lower case."""


def storable_text(text: str) -> str:
    """Return `text` with U+FFFD for every character that PostgreSQL cannot store."""
    return _UNSTORABLE.sub(_REPLACEMENT, text)


def clean_text(text: str) -> str:
    """Return a field's text as it is stored: without white space around it, composed (NFC), storable."""
    if text.isascii() and text.isprintable():
        return text.strip()
    return normalize("NFC", storable_text(text)).strip(_SPACE)


def is_no_id(value: object) -> bool:
    """Say whether the value of an id stands for none, such as `undefined`."""
    if isinstance(value, str):
        return value.lower() in NO_IDS
    return type(value) is int and value == 0


def storable_json(value: object) -> object:
    """Return a parsed JSON value whose texts, names included, are all storable and composed."""
    if isinstance(value, str):
        return normalize("NFC", storable_text(value))
    if isinstance(value, list):
        return [storable_json(child) for child in value]
    if isinstance(value, dict):
        return {str(storable_json(key)): storable_json(child) for key, child in value.items()}
    return value
