"""Senders who object to being tracked: by header (`DNT`, `Sec-GPC`) or by `"consent": false`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from contract.fields import CLIENT_ID, IDENTITY_SOURCE, SESSION_ID, USER_ID, USER_LOGIN_STATE
from contract.validation import Problem

CONSENT: Final = "consent"
OBJECTION: Final = Problem("do_not_track", "the sender objects to being tracked")

_PERSONAL: Final = frozenset(
    spelling
    for field in (USER_ID, USER_LOGIN_STATE, IDENTITY_SOURCE, CLIENT_ID, SESSION_ID)
    for spelling in (field.camel, field.snake)
)
_HEADERS: Final = frozenset({"dnt", "sec-gpc"})


def headers_object(event: Mapping[str, object]) -> bool:
    """Say whether a request's headers object."""
    headers = event.get("headers")
    if not isinstance(headers, dict):
        return False
    return any(name.lower() in _HEADERS and value == "1" for name, value in headers.items())


def objects(holder: Mapping[str, object]) -> bool:
    """Say whether an event, or what stands beside a batch, says that there is no consent."""
    return holder.get(CONSENT) is False


def anonymous(event: Mapping[str, object]) -> dict[str, object]:
    """Return an event without what names a person or a browser."""
    return {name: value for name, value in event.items() if name not in _PERSONAL}
