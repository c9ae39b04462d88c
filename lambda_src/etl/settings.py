"""Settings of the loader, from its environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final
from urllib.parse import urlsplit

from contract.settings import Environment, SettingsError
from contract.timestamps import ClockRules
from etl.labels import LabelLimits

SECOND: Final = timedelta(seconds=1)
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Target:
    """The warehouse's address, its login, and the SSM parameters that hold its secrets.

    `password` is the password itself, which only a function outside AWS may be given.
    """

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
    """Events per transaction: a chunk ends with the object that reaches this number."""
    chunk_objects: int = 2_000
    """Objects per transaction: small objects are loaded while the next ones are read."""
    chunk_bytes: int = 16_000_000
    """Bytes of raw objects per transaction. A run's memory is a few times this."""
    max_object_bytes: int = 64_000_000
    """A raw object that is larger, packed or unpacked, is reported and not read."""
    chunk_time: timedelta = timedelta(seconds=120)
    """How long a statement of a chunk may take, of a small one less: what takes longer is halved."""
    stop_before: timedelta = timedelta(seconds=20)
    """How long before the function's time limit a run ends."""
    look_back: timedelta = timedelta(hours=48)
    """How long after an hour of receipt every run still lists that hour."""
    retention_days: int | None = None
    """Rows received longer ago are dropped, by whole weeks; None keeps them for ever."""
    new_labels: LabelLimits = field(default_factory=LabelLimits)
    """How many new labels a day count under their own name; the others count as "(other)"."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything a run needs to know."""

    raw_bucket: str
    target: Target
    tuning: Tuning = field(default_factory=Tuning)
    clock_rules: ClockRules = field(default_factory=ClockRules)

    @classmethod
    def from_environment(cls, variables: Mapping[str, str]) -> Settings:
        """Read the settings. Raises SettingsError."""
        environment = Environment(variables)
        return cls(
            raw_bucket=environment.required("RAW_BUCKET"),
            target=_target(environment),
            tuning=_tuning(environment, Tuning()),
            clock_rules=_clock_rules(environment, ClockRules()),
        )


def runs_on_aws(variables: Mapping[str, str]) -> bool:
    """Say whether this is AWS itself: the Lambda runtime, and no endpoint elsewhere.

    Lambda sets AWS_LAMBDA_FUNCTION_NAME, a reserved variable that nobody else can set. An emulator sets
    it too, but gives its functions an AWS_ENDPOINT_URL with a host that is not AWS's.
    """
    if "AWS_LAMBDA_FUNCTION_NAME" not in variables:
        return False
    host = urlsplit(variables.get("AWS_ENDPOINT_URL", "")).hostname
    return not host or host.endswith((".amazonaws.com", ".amazonaws.com.cn", ".api.aws"))


def _tuning(environment: Environment, default: Tuning) -> Tuning:
    positive, duration = environment.positive, environment.duration
    return Tuning(
        readers=positive("ETL_READERS", default.readers),
        chunk_events=positive("ETL_CHUNK_EVENTS", default.chunk_events),
        chunk_objects=positive("ETL_CHUNK_OBJECTS", default.chunk_objects),
        chunk_bytes=positive("ETL_CHUNK_BYTES", default.chunk_bytes),
        max_object_bytes=positive("ETL_MAX_OBJECT_BYTES", default.max_object_bytes),
        chunk_time=duration("ETL_CHUNK_SECONDS", SECOND, default.chunk_time),
        stop_before=duration("ETL_STOP_BEFORE_SECONDS", SECOND, default.stop_before),
        look_back=duration("ETL_LOOK_BACK_HOURS", HOUR, default.look_back),
        retention_days=positive("ETL_RETENTION_DAYS", default.retention_days),
        new_labels=LabelLimits(
            products=positive("ETL_NEW_PRODUCTS_A_DAY", default.new_labels.products),
            categories=positive("ETL_NEW_CATEGORIES_A_DAY", default.new_labels.categories),
            brands=positive("ETL_NEW_BRANDS_A_DAY", default.new_labels.brands),
            event_names=positive("ETL_NEW_EVENT_NAMES_A_DAY", default.new_labels.event_names),
        ),
    )


def _clock_rules(environment: Environment, default: ClockRules) -> ClockRules:
    duration = environment.duration
    return ClockRules(
        skew_tolerance=duration("ETL_CLOCK_SKEW_TOLERANCE_SECONDS", SECOND, default.skew_tolerance),
        max_age=duration("ETL_MAX_EVENT_AGE_DAYS", DAY, default.max_age),
        max_age_anonymous=duration("ETL_MAX_ANONYMOUS_EVENT_AGE_DAYS", DAY, default.max_age_anonymous),
    )


def _target(environment: Environment) -> Target:
    password = environment.text("DWH_PASSWORD")
    password_parameter = environment.text("DWH_PASSWORD_PARAMETER")
    ca_parameter = environment.text("DWH_CA_PARAMETER")
    if runs_on_aws(environment.variables):
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
        host=environment.required("DWH_HOST"),
        port=environment.positive("DWH_PORT", 5432),
        user=environment.required("DWH_USER"),
        database=environment.required("DWH_DATABASE"),
        password_parameter=password_parameter,
        ca_parameter=ca_parameter,
        password=password,
    )
