"""Settings of the loader, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from contract.timestamps import ClockRules

PREFIX: Final = "ETL_"


class SettingsError(Exception):
    """The function's environment is wrong; the message names the variable and the fix."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where the warehouse is and where its secrets are: in parameters, or the password here."""

    host: str
    port: int
    user: str
    database: str
    password_parameter: str | None
    ca_parameter: str | None
    password: str | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class Tuning:
    """Sizes and times of a run; sizes are in bytes."""

    readers: int = 64
    """Objects read at the same time."""
    chunk_events: int = 20_000
    """Events per transaction, about: a chunk ends with the object that reaches it."""
    chunk_objects: int = 2_000
    """Objects per transaction: of small ones the first are loaded while the others are read."""
    chunk_bytes: int = 16_000_000
    """Row text per transaction, about; it is what a run holds in memory, a few times over."""
    max_object_bytes: int = 64_000_000
    """A larger raw object, also unpacked, is reported and not read."""
    stop_before: timedelta = timedelta(seconds=20)
    """How long before the function's time limit a run ends."""
    look_back: timedelta = timedelta(hours=48)
    """For how long after an hour of receipt raw objects may still appear in it unannounced."""
    retention_days: int | None = None
    """Rows received longer ago are dropped, by whole weeks; None keeps them for ever."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run needs to know."""

    raw_bucket: str
    target: Target
    tuning: Tuning = field(default_factory=Tuning)
    clock_rules: ClockRules = field(default_factory=ClockRules)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError."""
        return cls(
            raw_bucket=_required(environ, "RAW_BUCKET"),
            target=_target(environ),
            tuning=Tuning(
                readers=_positive(environ, PREFIX + "READERS", 64),
                chunk_events=_positive(environ, PREFIX + "CHUNK_EVENTS", 20_000),
                chunk_objects=_positive(environ, PREFIX + "CHUNK_OBJECTS", 2_000),
                chunk_bytes=_positive(environ, PREFIX + "CHUNK_BYTES", 16_000_000),
                max_object_bytes=_positive(environ, PREFIX + "MAX_OBJECT_BYTES", 64_000_000),
                retention_days=_positive(environ, PREFIX + "RETENTION_DAYS", 0) or None,
                look_back=timedelta(hours=_positive(environ, PREFIX + "LOOK_BACK_HOURS", 48)),
                stop_before=timedelta(seconds=_positive(environ, PREFIX + "STOP_BEFORE_SECONDS", 20)),
            ),
            clock_rules=ClockRules(
                skew_tolerance=timedelta(
                    seconds=_positive(environ, PREFIX + "CLOCK_SKEW_TOLERANCE_SECONDS", 60)
                ),
                max_age=timedelta(days=_positive(environ, PREFIX + "MAX_EVENT_AGE_DAYS", 400)),
            ),
        )


def runs_on_aws(environ: Mapping[str, str]) -> bool:
    """Say whether this is AWS itself: the Lambda runtime, and no endpoint elsewhere.

    The runtime sets AWS_LAMBDA_FUNCTION_NAME (a reserved variable: no one else can). An emulator
    sets it as well, but its functions are told by AWS_ENDPOINT_URL to call another host than AWS's.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in environ:
        return False
    host = urlsplit(environ.get("AWS_ENDPOINT_URL", "")).hostname
    return not host or host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _target(environ: Mapping[str, str]) -> Target:
    password = environ.get("DWH_PASSWORD") or None
    password_parameter = environ.get("DWH_PASSWORD_PARAMETER") or None
    ca_parameter = environ.get("DWH_CA_PARAMETER") or None
    if runs_on_aws(environ):
        if password is not None:
            raise SettingsError(
                "DWH_PASSWORD is refused on AWS: everyone who may read the function's configuration "
                "reads it. Fix: remove it and set DWH_PASSWORD_PARAMETER to the name of the "
                "SecureString that holds the password."
            )
        if ca_parameter is None:
            raise SettingsError(
                "DWH_CA_PARAMETER is not set. Fix: set it to the name of the parameter that holds "
                "the CA certificate of the warehouse."
            )
    if password is None and password_parameter is None:
        raise SettingsError(
            "DWH_PASSWORD_PARAMETER is not set. Fix: set it to the name of the SecureString that "
            "holds the password of the warehouse's loader."
        )
    return Target(
        host=_required(environ, "DWH_HOST"),
        port=_positive(environ, "DWH_PORT", 5432),
        user=_required(environ, "DWH_USER"),
        database=_required(environ, "DWH_DATABASE"),
        password_parameter=password_parameter,
        ca_parameter=ca_parameter,
        password=password,
    )


def _required(environ: Mapping[str, str], name: str) -> str:
    value = environ.get(name, "")
    if not value:
        raise SettingsError(f"{name} is not set. Fix: set it in the function's environment.")
    return value


def _positive(environ: Mapping[str, str], name: str, default: int) -> int:
    text = environ.get(name, "")
    if not text:
        return default
    if not text.isascii() or not text.isdigit() or int(text) == 0:
        raise SettingsError(f"{name} is {text!r}. Fix: set a whole number above 0.")
    return int(text)
