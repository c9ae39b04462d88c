"""What a client's clock says in, UTC out, clock skew corrected.

A visitor's clock may be wrong by minutes or years. If the client says when it sent the event (`sentAt`, by
the same clock), the error of that clock is known:

    event time = receivedAt - (sentAt - eventTimestamp)

This is the formula of Segment ("timestamp = receivedAt - (sentAt - originalTimestamp)", Segment, Spec: Common
fields) and of Snowplow's `derived_tstamp`. It adds the time that the request took. So it is applied only if
`sentAt` and `receivedAt` differ by more than a tolerance: the time of a clock that is right is more exact.

A clock may say a time that Python's dates cannot hold, such as a year above 9999. So its times are durations
since 1970, and only the result is a date.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final, TypeVar

MAX_TIME_TEXT: Final = 48
"""Longest text that is read as a time, in characters."""
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_NAIVE_EPOCH: Final = EPOCH.replace(tzinfo=None)
MAX_EPOCH: Final = 8_640_000_000_000_000
"""The furthest time that a browser's clock can say, in milliseconds from 1970."""

_Clock = TypeVar("_Clock", datetime, timedelta)

_EPOCH_TEXT: Final = re.compile(r"-?[0-9]{9,16}(?:\.[0-9]{1,9})?")
_ISO: Final = re.compile(
    r"([+-][0-9]{6}|[0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[T ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?)?"
    r" ?(?:Z|([+-])([0-9]{2}):?([0-9]{2}))?",
    re.IGNORECASE,
)
# The Gregorian calendar repeats itself after so many years.
_CYCLE: Final = 400
_CYCLE_TIME: Final = timedelta(days=146_097)


class TimeSource(StrEnum):
    """Where a row's `event_timestamp` comes from."""

    CLIENT = "client"
    CORRECTED = "corrected"
    RECEIVED = "received"


@dataclass(frozen=True, slots=True)
class ClockRules:
    """When a client's clock is corrected, and which times are implausible."""

    skew_tolerance: timedelta = timedelta(seconds=60)
    """How far `sentAt` may differ from the receipt, and an event may be after it."""
    max_age: timedelta = timedelta(days=400)
    """How long before its receipt an event may be."""
    max_age_anonymous: timedelta = timedelta(days=7)
    """The same for events that anybody may have sent."""

    def for_anybody(self) -> ClockRules:
        """Return the rules for events whose sender nothing proves: history is not for strangers."""
        return replace(self, max_age=min(self.max_age, self.max_age_anonymous))


def clock_time(value: object) -> timedelta | None:
    """Return the time that a clock says, as the time since 1970 in UTC; None if `value` is no time.

    That is an ISO 8601 text (without an offset: UTC), or a number of milliseconds since 1970 (or its text).
    Any year, offset and leap second is a time, whether it is plausible or not.
    """
    if isinstance(value, str):
        # Not every text that Python reads is meant so: a number has digits where it looks for a separator.
        if len(value) > MAX_TIME_TEXT:
            return None
        if value[4:5] != "-":
            return _unusual_time(value)
        try:
            parsed = datetime.fromisoformat(value)
        except ValueError:
            return _unusual_time(value)
        return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)) - EPOCH
    if isinstance(value, int | float) and not isinstance(value, bool) and -MAX_EPOCH <= value <= MAX_EPOCH:
        return timedelta(milliseconds=value)
    return None


def parse_time(value: object) -> datetime | None:
    """Return the time that `clock_time` reads as a date in UTC, or None if it is none that a date can be."""
    moment = clock_time(value)
    try:
        return None if moment is None else EPOCH + moment
    except OverflowError:
        return None


def _unusual_time(text: str) -> timedelta | None:
    """Return the time of a text that `datetime.fromisoformat` does not read, or not as it is meant."""
    text = text.strip()
    if _EPOCH_TEXT.fullmatch(text) is not None:
        return clock_time(float(text) if "." in text else int(text))
    found = _ISO.fullmatch(text)
    try:
        if found is None:
            parsed = datetime.fromisoformat(text)
            return (parsed if parsed.tzinfo is not None else parsed.replace(tzinfo=UTC)) - EPOCH
        year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
        cycles, year = divmod(year, _CYCLE)
        day_start = datetime(_CYCLE + year, month, day, tzinfo=UTC) - EPOCH
    except ValueError:
        return None
    fraction, sign, offset_hours, offset_minutes = (part or "0" for part in found.groups()[6:])
    clock = timedelta(
        hours=hour, minutes=minute, seconds=second, microseconds=int(fraction.ljust(6, "0")[:6])
    )
    offset = timedelta(hours=int(offset_hours), minutes=int(offset_minutes))
    # A day may end at 24:00, and with a leap second.
    if (
        minute > 59
        or second > 60
        or (hour >= 24 and clock > timedelta(days=1))
        or offset >= timedelta(days=1)
    ):
        return None
    return day_start + (cycles - 1) * _CYCLE_TIME + clock - (-offset if sign == "-" else offset)


def event_time(
    claimed: _Clock | None,
    sent_at: _Clock | None,
    received_at: _Clock,
    rules: ClockRules,
) -> tuple[_Clock, TimeSource]:
    """Return when an event happened, in UTC, and how that is known; all are dates, or times since 1970.

    `claimed` is the event's own timestamp and `sent_at` when the client sent it, both by the
    client's clock; `received_at` is by the collector's. A time that is later than the receipt by more than
    the tolerance, or earlier by more than `rules.max_age`, is ignored: the time of receipt is used.
    """
    if claimed is None:
        return received_at, TimeSource.RECEIVED
    moment, source = claimed, TimeSource.CLIENT
    if sent_at is not None and abs(received_at - sent_at) > rules.skew_tolerance:
        try:
            moment, source = received_at - (sent_at - claimed), TimeSource.CORRECTED
        except OverflowError:
            return received_at, TimeSource.RECEIVED
    if moment - received_at > rules.skew_tolerance or received_at - moment > rules.max_age:
        return received_at, TimeSource.RECEIVED
    return moment, source


def utc_text(moment: datetime) -> str:
    """Return `moment` as ISO 8601 in UTC with microseconds and `Z`."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def clock_text(moment: timedelta) -> str:
    """Return a time since 1970 as `utc_text` does."""
    return (_NAIVE_EPOCH + moment).isoformat(timespec="microseconds") + "Z"
