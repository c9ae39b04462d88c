"""Senders who object to being tracked: by header (`DNT`, `Sec-GPC`) or by `consent`.

Consent is given in the words below, or in none; what cannot be read refuses it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from contract.fields import CLIENT_ID, IDENTITY_SOURCE, SESSION_ID, USER_ID, USER_LOGIN_STATE
from contract.text import clean_text
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
# As text, and as a boolean of structured fields (RFC 8941).
_SET: Final = frozenset({"1", "?1"})
_GIVEN: Final = frozenset(
    {"true", "1", "yes", "granted", "given", "allow", "allowed", "accept", "accepted", "opt-in", "opted-in"}
)


def headers_object(event: Mapping[str, object], rule: DoNotTrack) -> bool:
    """Say whether a request's headers object to tracking, unless `rule` ignores that."""
    headers = event.get("headers")
    if rule is DoNotTrack.IGNORE or not isinstance(headers, dict):
        return False
    return any(
        name.lower() in _HEADERS
        and isinstance(value, str)
        and not _SET.isdisjoint(re.split(r"[\s,]+", value))
        for name, value in headers.items()
    )


def objects(holder: object, rule: DoNotTrack) -> bool:
    """Say whether an event or a batch's envelope denies consent, unless `rule` ignores that."""
    if rule is DoNotTrack.IGNORE or not isinstance(holder, dict):
        return False
    consent = holder.get(CONSENT)
    if isinstance(consent, str):
        text = clean_text(consent).lower()
        return text != "" and text not in _GIVEN
    return consent not in (None, 1)


def any_objects(body: Mapping[str, object], rule: DoNotTrack) -> bool:
    """Say whether a batch or anything in its `events` denies consent, even if the batch is not valid."""
    events = body.get("events")
    return any(objects(one, rule) for one in (body, events, *(events if isinstance(events, list) else ())))


def anonymous(event: Mapping[str, object]) -> dict[str, object]:
    """Return an event without what identifies a person or a browser."""
    return {name: value for name, value in event.items() if name not in _PERSONAL}
