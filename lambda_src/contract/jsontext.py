"""Strict JSON in, canonical JSON out.

Python's parser accepts `NaN` and `Infinity`, which are not JSON, reads `1e999` as infinity, and raises
RecursionError for deep nesting and ValueError for numbers of more than 4,300 digits. This module raises one
exception for all of these, `NotJson`, with a reason that may be shown to the client.
"""

from __future__ import annotations

import json
from json.encoder import JSONEncoder
from typing import Final, NoReturn


class NotJson(ValueError):
    """The text is not JSON that the platform accepts; the message may be shown to the client."""


def _refuse_constant(constant: str) -> NoReturn:
    raise NotJson(f"{constant} is not JSON")


_READER: Final = json.JSONDecoder(parse_constant=_refuse_constant)
_WRITER: Final = JSONEncoder(
    ensure_ascii=False, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)
_ASCII_WRITER: Final = JSONEncoder(
    ensure_ascii=True, check_circular=False, allow_nan=False, sort_keys=True, separators=(",", ":")
)


def parse_json(text: str) -> object:
    """Parse `text`. Raises NotJson."""
    try:
        return _READER.decode(text)
    except NotJson:
        raise
    except json.JSONDecodeError as error:
        raise NotJson(f"{error.msg} at character {error.pos}") from None
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except ValueError:
        # int() raises ValueError for more than sys.get_int_max_str_digits() digits.
        raise NotJson("a number has too many digits") from None


def canonical_json(value: object) -> bytes:
    """Return the canonical JSON text of `value`: sorted keys, no spaces, UTF-8.

    UTF-8 has no form for a lone surrogate. A value that holds one is written in ASCII with escapes, so that
    it is kept as it was sent. Raises NotJson for numbers that are not finite and for nesting that is deeper
    than the interpreter can write.
    """
    try:
        try:
            return _WRITER.encode(value).encode("utf-8")
        except UnicodeEncodeError:
            return _ASCII_WRITER.encode(value).encode("ascii")
    except RecursionError:
        raise NotJson("nested too deeply") from None
    except UnicodeEncodeError:
        raise
    except ValueError:
        raise NotJson("a number is out of range") from None
