"""What a call asks for -> which raw objects.

    {}                                   everything that has arrived and is not loaded
    {"start": ISO, "end": ISO}           received in these hours (the end is not included)
    {"prefix": "events/2025/12/06/05/"}  under this prefix
    {"prefix": "rejected/2025/12/06/"}   refused events, for example after a rule was changed
    {"replay": true}                     objects with an event in `rejected_events`, again

Each may also have `"reprocess": true` (also objects that are loaded already) and `"after": key` (only keys
after this one; the answer of an incomplete run has it for the next call).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from contract.timestamps import parse_time

EVENTS: Final = "events/"
REJECTED: Final = "rejected/"
KEYS: Final = frozenset({"start", "end", "prefix", "reprocess", "replay", "after"})


class PayloadError(ValueError):
    """The payload is wrong; the message says what is wrong and the fix."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Raw objects: keys with `prefix`, after `after` and before `before`, both exclusive.

    `reprocess`: also objects that are loaded. `arrived`: everything that is not loaded, from the watermark
    on. `replay`: the objects that hold rejected events; nothing is listed.
    """

    prefix: str = EVENTS
    after: str = ""
    before: str | None = None
    reprocess: bool = False
    arrived: bool = False
    replay: bool = False


def read_payload(payload: object) -> tuple[Selection, dict[str, object]]:
    """Return what a payload selects, and the payload itself. Raises PayloadError.

    An event of EventBridge (from a rule without an input of its own) selects everything that is not loaded.
    """
    if payload is None or (isinstance(payload, Mapping) and "detail-type" in payload):
        payload = {}
    if not isinstance(payload, Mapping):
        raise PayloadError("The payload is not an object. Fix: send {} to load everything.")
    unknown = sorted(str(key) for key in payload if key not in KEYS)
    if unknown:
        raise PayloadError(
            f"Unknown in the payload: {', '.join(unknown)}. Fix: use {', '.join(sorted(KEYS))}."
        )
    given = {str(key): value for key, value in payload.items() if value is not None}
    reprocess = _flag(given, "reprocess")
    after = _text(given, "after")
    if _flag(given, "replay"):
        if given.keys() - {"replay", "reprocess", "after"}:
            raise PayloadError("'replay' and 'prefix', 'start' or 'end' exclude each other. Fix: send one.")
        return Selection(after=after, reprocess=True, replay=True), given
    if "prefix" in given:
        if "start" in given or "end" in given:
            raise PayloadError("'prefix' and 'start'/'end' exclude each other. Fix: send one.")
        prefix = _text(given, "prefix")
        if not prefix.startswith((EVENTS, REJECTED)):
            raise PayloadError(f"'prefix' is {prefix!r}. Fix: it begins with {EVENTS!r} or {REJECTED!r}.")
        # Refused events are always loaded again: the ledger does not say whether they were refused again.
        return Selection(prefix, after, None, reprocess or prefix.startswith(REJECTED)), given
    start = _time(given, "start")
    end = _time(given, "end")
    if start is not None and end is not None and end <= start:
        raise PayloadError("'end' is not after 'start'.")
    # "events/2025/12/06/05" sorts before every key of that hour and after all of earlier hours.
    first = "" if start is None else hour_folder(start)
    last = None if end is None else hour_folder(_next_hour(end))
    arrived = start is None and end is None and not reprocess
    return Selection(EVENTS, max(first, after), last, reprocess, arrived), given


def hour_folder(moment: datetime) -> str:
    """Return the folder of the hour in which `moment` (UTC) lies, without a closing slash."""
    return EVENTS + moment.strftime("%Y/%m/%d/%H")


def _next_hour(moment: datetime) -> datetime:
    """Return the first full hour at or after `moment`."""
    floor = moment.replace(minute=0, second=0, microsecond=0)
    return floor if floor == moment else floor + timedelta(hours=1)


def _flag(given: Mapping[str, object], key: str) -> bool:
    value = given.get(key, False)
    if not isinstance(value, bool):
        raise PayloadError(f"{key!r} is neither true nor false.")
    return value


def _text(given: Mapping[str, object], key: str) -> str:
    value = given.get(key, "")
    if not isinstance(value, str):
        raise PayloadError(f"{key!r} is not text.")
    return value


def _time(given: Mapping[str, object], key: str) -> datetime | None:
    if key not in given:
        return None
    parsed = parse_time(given[key])
    if parsed is None:
        raise PayloadError(f"{key!r} is {given[key]!r}. Fix: an ISO 8601 time, such as 2025-12-06T05:00:00Z.")
    return parsed
