"""What a run answers."""

from __future__ import annotations

from typing import TypedDict

from etl.warehouse import Counts


class ObjectCounts(TypedDict):
    """listed = skipped + read + failed + left.

    `failed` are those that could not be read, or not be loaded; `set_aside` are all that could not be loaded
    until now, in whatever run.
    """

    listed: int
    skipped: int
    read: int
    failed: int
    left: int
    set_aside: int


class EventCounts(TypedDict):
    """read = loaded + duplicate + rejected."""

    read: int
    loaded: int
    duplicate: int
    rejected: int


class Answer(TypedDict, total=False):
    """What a run answers; `status` is complete, incomplete, failed or busy.

    `next` is the payload that continues an incomplete run. `listed_from` is the watermark from which a run
    of everything listed: an object that was put into an older hour since is loaded by its prefix.
    """

    status: str
    listed_from: str
    objects: ObjectCounts
    events: EventCounts
    seconds: float
    failures: list[dict[str, str]]
    next: dict[str, object]


def make_answer(
    status: str, counts: Counts, failures: list[dict[str, str]], seconds: float, set_aside: int = 0
) -> Answer:
    """Return the answer of a run."""
    return {
        "status": status,
        "objects": {
            "listed": counts.objects_listed,
            "skipped": counts.objects_skipped,
            "read": counts.objects_read,
            "failed": counts.objects_failed,
            "left": counts.objects_left,
            "set_aside": set_aside,
        },
        "events": {
            "read": counts.events_loaded + counts.events_duplicate + counts.events_rejected,
            "loaded": counts.events_loaded,
            "duplicate": counts.events_duplicate,
            "rejected": counts.events_rejected,
        },
        "seconds": round(seconds, 3),
        "failures": failures,
    }


def busy_answer() -> Answer:
    """Return the answer of a run that found another one at work."""
    return make_answer("busy", Counts(), [], 0.0)
