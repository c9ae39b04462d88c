"""ISO 8601 in, UTC out, clock skew corrected.

A visitor's clock may be wrong by minutes or years. If the client says when it sent the event (`sentAt`, by
the same clock), the error of that clock is known:

    event time = receivedAt - (sentAt - eventTimestamp)

This is the formula of Segment ("timestamp = receivedAt - (sentAt - originalTimestamp)", Segment, Spec: Common
fields) and of Snowplow's `derived_tstamp`. It adds the time that the request took. So it is applied only if
`sentAt` and `receivedAt` differ by more than a tolerance: the time of a clock that is right is more exact.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

MAX_TIME_TEXT: Final = 48
"""Longest ISO 8601 text that is parsed, in characters."""


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


def parse_time(value: object) -> datetime | None:
    """Return the UTC time of an ISO 8601 text, or None if `value` is not one.

    A text without an offset is read as UTC.
    """
    if not isinstance(value, str) or len(value) > MAX_TIME_TEXT:
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def event_time(
    claimed: datetime | None,
    sent_at: datetime | None,
    received_at: datetime,
    rules: ClockRules,
) -> tuple[datetime, TimeSource]:
    """Return when an event happened, in UTC, and how that is known.

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
