"""A module's result held to its RETURN: nothing undocumented, nothing missing, every value of its type."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

import yaml

ANSIBLE_S_OWN = {"changed", "diff", "failed", "msg", "invocation", "warnings", "deprecations"}
TYPES: dict[str, type | tuple[type, ...]] = {
    "str": str,
    "bool": bool,
    "int": int,
    "float": (int, float),
    "list": list,
    "dict": dict,
}


@cache
def documented(text: str) -> dict[str, Any]:
    """The keys that a RETURN describes."""
    return dict(yaml.safe_load(text))


def faults(text: str, result: Mapping[str, Any]) -> list[str]:
    """What a result has otherwise than its RETURN (``text``) says; empty where nothing is.

    A key in angle brackets stands for any key. Keys of a resource that exists must all be there, but for
    those whose documentation says when they are returned; before it exists AWS has given it no ids yet.
    """
    keys = documented(text)
    given = {key: value for key, value in result.items() if key not in ANSIBLE_S_OWN}
    return list(_faults(keys, given, whole=bool(result.get("exists")), path=""))


def _faults(keys: Mapping[str, Any], given: Mapping[str, Any], *, whole: bool, path: str) -> Iterator[str]:
    any_key = next((entry for key, entry in keys.items() if key.startswith("<")), None)
    for key, value in given.items():
        entry = keys.get(key, any_key)
        if entry is None:
            yield f"{path}{key} is not documented"
        elif value is not None:
            yield from _value_faults(entry, value, whole=whole, path=f"{path}{key}")
    if whole:
        always = {key for key, entry in keys.items() if "returned" not in entry and not key.startswith("<")}
        yield from (f"{path}{key} is documented and not there" for key in sorted(always - given.keys()))


def _value_faults(entry: Mapping[str, Any], value: Any, *, whole: bool, path: str) -> Iterator[str]:
    if not isinstance(value, TYPES[entry["type"]]) or (entry["type"] != "bool" and isinstance(value, bool)):
        yield f"{path} is a {type(value).__name__}, documented as {entry['type']}"
        return
    inner = entry.get("contains")
    if inner is None:
        return
    for part in value if isinstance(value, list) else [value]:
        if part:
            yield from _faults(inner, part, whole=whole, path=f"{path}.")
