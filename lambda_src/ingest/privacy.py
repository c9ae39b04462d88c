"""Senders who object to being tracked: by header (`DNT`, `Sec-GPC`) or by `"consent": false`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract.fields import CLIENT_ID, IDENTITY_SOURCE, SESSION_ID, USER_ID, USER_LOGIN_STATE
from contract.validation import Problem
from ingest.settings import DoNotTrack

CONSENT: Final = "consent"
OBJECTION: Final = Problem("do_not_track", "the sender objects to being tracked")

_PERSONAL: Final = frozenset(
    spelling
    for field in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE, CLIENT_ID, SESSION_ID)
    for spelling in field.spellings()
)
_HEADERS: Final = frozenset({"dnt", "sec-gpc"})


def headers_object(event: Mapping[str, object], rule: DoNotTrack) -> bool:
    """Say whether a request's headers object to tracking, unless `rule` ignores that."""
    headers = event.get("headers")
    if rule is DoNotTrack.IGNORE or not isinstance(headers, dict):
        return False
    return any(name.lower() in _HEADERS and value == "1" for name, value in headers.items())


def objects(holder: object, rule: DoNotTrack) -> bool:
    """Say whether an event or a batch's envelope denies consent, unless `rule` ignores that."""
    return rule is not DoNotTrack.IGNORE and isinstance(holder, dict) and holder.get(CONSENT) is False


def any_objects(body: Mapping[str, object], rule: DoNotTrack) -> bool:
    """Say whether a batch or anything in its `events` denies consent, even if the batch is not valid."""
    events = body.get("events")
    return any(objects(one, rule) for one in (body, events, *(events if isinstance(events, list) else ())))


def anonymous(event: Mapping[str, object]) -> dict[str, object]:
    """Return an event without what identifies a person or a browser."""
    return {name: value for name, value in event.items() if name not in _PERSONAL}
