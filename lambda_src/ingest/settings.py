"""Limits and options of the collector, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from contract.settings import Environment
from contract.validation import Limits


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
    """What happens to events whose sender objects (`DNT: 1`, `Sec-GPC: 1`, or `consent`).

    They are stored like any other, stored without what identifies a person or a browser, or refused.
    """

    IGNORE = "ignore"
    ANONYMISE = "anonymise"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Settings:
    """Options of the collector; sizes are in bytes."""

    raw_bucket: str
    max_body_bytes: int = 262_144
    """A body as received, after base64. Lambda's own limit is 6 MB, base64 and headers included."""
    max_decoded_bytes: int = 262_144
    """A body after decompression. In the worst case parsing takes 40 bytes of memory for one of JSON."""
    max_events: int = 500
    """Events in one request."""
    max_event_bytes: int = 65_536
    max_rejected_bytes: int = 65_536
    """How much is kept of the refused events of one request, or of a body that could not be read."""
    max_rejected_day_bytes: int = 10_000_000
    """How much of what is refused one execution environment stores on one day (UTC)."""
    origins: frozenset[str] = frozenset()
    """Whose pages may send. Empty: all; and who sends no `Origin`, as programs do, may always."""
    limits: Limits = field(default_factory=Limits)
    compression: Compression = Compression.NONE
    source_ip: SourceIp = SourceIp.TRUNCATED
    do_not_track: DoNotTrack = DoNotTrack.IGNORE
    identity_source: str = "cognito"
    """`identitySource` of events whose sender is known by a token."""

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError."""
        environment = Environment(variables)
        default = cls(raw_bucket=environment.required("RAW_BUCKET"))
        positive = environment.positive
        return cls(
            raw_bucket=default.raw_bucket,
            max_body_bytes=positive("INGEST_MAX_BODY_BYTES", default.max_body_bytes),
            max_decoded_bytes=positive("INGEST_MAX_DECODED_BYTES", default.max_decoded_bytes),
            max_events=positive("INGEST_MAX_EVENTS", default.max_events),
            max_event_bytes=positive("INGEST_MAX_EVENT_BYTES", default.max_event_bytes),
            max_rejected_bytes=positive("INGEST_MAX_REJECTED_BYTES", default.max_rejected_bytes),
            max_rejected_day_bytes=positive("INGEST_MAX_REJECTED_DAY_BYTES", default.max_rejected_day_bytes),
            origins=frozenset((environment.text("INGEST_ORIGINS") or "").lower().split()),
            limits=Limits(
                depth=positive("INGEST_MAX_DEPTH", default.limits.depth),
                string=positive("INGEST_MAX_STRING", default.limits.string),
            ),
            compression=environment.choice("INGEST_COMPRESSION", default.compression),
            source_ip=environment.choice("INGEST_SOURCE_IP", default.source_ip),
            do_not_track=environment.choice("INGEST_DO_NOT_TRACK", default.do_not_track),
            identity_source=environment.text("INGEST_IDENTITY_SOURCE") or default.identity_source,
        )
