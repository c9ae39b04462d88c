"""Strict JSON in, canonical JSON out.

Python's parser takes `NaN` and `Infinity`, which are not JSON, turns `1e999` into infinity, and
gives up on deep nesting with RecursionError and on numbers of more than 4,300 digits with
ValueError. Here all of that is one exception, `NotJson`, with a reason that can be answered.
"""

from __future__ import annotations

import json
from json.encoder import JSONEncoder
from typing import Final, NoReturn


class NotJson(ValueError):
    """The text is not JSON that the platform takes; the message is fit for an answer."""


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
        # int() refuses more than sys.get_int_max_str_digits() digits.
        raise NotJson("a number has too many digits") from None


def canonical_json(value: object) -> bytes:
    """Return the one JSON text of `value`: sorted keys, no spaces, UTF-8.

    A lone surrogate has no UTF-8 form. A value that holds one is written in ASCII instead, with
    escapes, so that it survives as it was sent. Raises NotJson for numbers that are not finite and
    for nesting beyond what the interpreter can write.
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
