"""Limits and options of the collector, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from contract.validation import Limits

PREFIX: Final = "INGEST_"

_Choice = TypeVar("_Choice", bound=StrEnum)


class SettingsError(Exception):
    """The function's environment is wrong; the message names the variable and the fix."""


class Compression(StrEnum):
    """How raw objects are stored."""

    NONE = "none"
    GZIP = "gzip"


class SourceIp(StrEnum):
    """How much of the caller's address is kept: all, the network (/24 or /48), or nothing."""

    FULL = "full"
    TRUNCATED = "truncated"
    NONE = "none"


class DoNotTrack(StrEnum):
    """What becomes of events whose sender objects (`DNT: 1`, `Sec-GPC: 1`, or `"consent": false`).

    Taken as any other, taken without what names a person or a browser, or not taken.
    """

    IGNORE = "ignore"
    ANONYMISE = "anonymise"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the collector; sizes are in bytes."""

    raw_bucket: str
    max_body_bytes: int = 5_000_000
    """A body as received, base64 undone. The function's own limit is 6 MB with base64 and headers."""
    max_decoded_bytes: int = 5_000_000
    """A body after decompression. A byte of odd JSON takes 40 of memory, here and in the loader."""
    max_events: int = 500
    max_event_bytes: int = 65_536
    max_rejected_bytes: int = 65_536
    """What is kept of one refused event, or of a body that could not be read."""
    limits: Limits = field(default_factory=Limits)
    compression: Compression = Compression.NONE
    source_ip: SourceIp = SourceIp.FULL
    do_not_track: DoNotTrack = DoNotTrack.IGNORE
    identity_source: str = "cognito"
    """`identitySource` of events whose sender a token proved."""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError."""
        bucket = environ.get("RAW_BUCKET", "")
        if not bucket:
            raise SettingsError("RAW_BUCKET is not set. Fix: set it to the raw bucket's name.")
        return cls(
            raw_bucket=bucket,
            max_body_bytes=_positive(environ, "MAX_BODY_BYTES", 5_000_000),
            max_decoded_bytes=_positive(environ, "MAX_DECODED_BYTES", 5_000_000),
            max_events=_positive(environ, "MAX_EVENTS", 500),
            max_event_bytes=_positive(environ, "MAX_EVENT_BYTES", 65_536),
            max_rejected_bytes=_positive(environ, "MAX_REJECTED_BYTES", 65_536),
            limits=Limits(
                depth=_positive(environ, "MAX_DEPTH", 16),
                string=_positive(environ, "MAX_STRING", 16_384),
            ),
            compression=_choice(environ, "COMPRESSION", Compression.NONE),
            do_not_track=_choice(environ, "DO_NOT_TRACK", DoNotTrack.IGNORE),
            source_ip=_choice(environ, "SOURCE_IP", SourceIp.FULL),
            identity_source=environ.get(PREFIX + "IDENTITY_SOURCE") or "cognito",
        )


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(PREFIX + name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingsError(f"{PREFIX}{name} is {text!r}. Fix: set a whole number above 0.")
    return int(text)


def _choice(environ: Mapping[str, str], name: str, default: _Choice) -> _Choice:
    text = environ.get(PREFIX + name, "")
    if not text:
        return default
    try:
        return type(default)(text)
    except ValueError:
        choices = ", ".join(type(default))
        raise SettingsError(f"{PREFIX}{name} is {text!r}. Fix: one of {choices}.") from None
