"""Settings of both functions from environment variables: each variable, its default, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum

import pytest

import etl.settings
import ingest.settings
from contract.settings import Environment, SettingsError
from contract.timestamps import ClockRules
from contract.validation import Limits
from etl.labels import LabelLimits
from ingest.settings import Compression, DoNotTrack, SourceIp


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


INGEST_VARIABLES = {
    "RAW_BUCKET": "raw",
    "INGEST_MAX_BODY_BYTES": "1",
    "INGEST_MAX_DECODED_BYTES": "2",
    "INGEST_MAX_EVENTS": "3",
    "INGEST_MAX_EVENT_BYTES": "4",
    "INGEST_MAX_REJECTED_BYTES": "5",
    "INGEST_MAX_REJECTED_DAY_BYTES": "8",
    "INGEST_ORIGINS": "https://shop.example http://localhost:3000",
    "INGEST_MAX_DEPTH": "6",
    "INGEST_MAX_STRING": "7",
    "INGEST_COMPRESSION": "gzip",
    "INGEST_SOURCE_IP": "truncated",
    "INGEST_DO_NOT_TRACK": "drop",
    "INGEST_IDENTITY_SOURCE": "okta",
}
INGEST_SETTINGS = ingest.settings.Settings(
    raw_bucket="raw",
    max_body_bytes=1,
    max_decoded_bytes=2,
    max_events=3,
    max_event_bytes=4,
    max_rejected_bytes=5,
    max_rejected_day_bytes=8,
    origins=frozenset({"https://shop.example", "http://localhost:3000"}),
    limits=Limits(depth=6, string=7),
    compression=Compression.GZIP,
    source_ip=SourceIp.TRUNCATED,
    do_not_track=DoNotTrack.DROP,
    identity_source="okta",
)
ETL_TARGET_VARIABLES = {
    "RAW_BUCKET": "raw",
    "DWH_HOST": "10.0.128.10",
    "DWH_PORT": "5433",
    "DWH_USER": "loader",
    "DWH_DATABASE": "warehouse",
    "DWH_PASSWORD_PARAMETER": "/password",
    "DWH_CA_PARAMETER": "/ca",
}
ETL_TARGET = etl.settings.Target("10.0.128.10", 5433, "loader", "warehouse", "/password", "/ca", None)
ETL_VARIABLES = {
    "ETL_READERS": "1",
    "ETL_CHUNK_EVENTS": "2",
    "ETL_CHUNK_OBJECTS": "3",
    "ETL_CHUNK_BYTES": "4",
    "ETL_MAX_OBJECT_BYTES": "5",
    "ETL_STOP_BEFORE_SECONDS": "6",
    "ETL_LOOK_BACK_HOURS": "7",
    "ETL_RETENTION_DAYS": "8",
    "ETL_CHUNK_SECONDS": "11",
    "ETL_NEW_PRODUCTS_A_DAY": "12",
    "ETL_NEW_CATEGORIES_A_DAY": "13",
    "ETL_NEW_BRANDS_A_DAY": "14",
    "ETL_NEW_EVENT_NAMES_A_DAY": "15",
    "ETL_CLOCK_SKEW_TOLERANCE_SECONDS": "9",
    "ETL_MAX_EVENT_AGE_DAYS": "10",
    "ETL_MAX_ANONYMOUS_EVENT_AGE_DAYS": "3",
}
ETL_SETTINGS = etl.settings.Settings(
    raw_bucket="raw",
    target=ETL_TARGET,
    tuning=etl.settings.Tuning(
        readers=1,
        chunk_events=2,
        chunk_objects=3,
        chunk_bytes=4,
        max_object_bytes=5,
        stop_before=timedelta(seconds=6),
        look_back=timedelta(hours=7),
        retention_days=8,
        chunk_time=timedelta(seconds=11),
        new_labels=LabelLimits(products=12, categories=13, brands=14, event_names=15),
    ),
    clock_rules=ClockRules(
        skew_tolerance=timedelta(seconds=9), max_age=timedelta(days=10), max_age_anonymous=timedelta(days=3)
    ),
)


def test_every_variable_of_the_collector_sets_its_option() -> None:
    assert ingest.settings.Settings.from_environment(INGEST_VARIABLES) == INGEST_SETTINGS


def test_every_variable_of_the_loader_sets_its_option() -> None:
    assert etl.settings.Settings.from_environment(ETL_TARGET_VARIABLES | ETL_VARIABLES) == ETL_SETTINGS


@pytest.mark.parametrize("empty", [{}, dict.fromkeys([*INGEST_VARIABLES, *ETL_VARIABLES], "")])
def test_variables_that_are_not_set_or_empty_leave_the_defaults(empty: dict[str, str]) -> None:
    collector = ingest.settings.Settings.from_environment(empty | {"RAW_BUCKET": "raw"})
    assert collector == ingest.settings.Settings("raw")
    without_port = ETL_TARGET_VARIABLES | {"DWH_PORT": ""}
    loader = etl.settings.Settings.from_environment(empty | without_port)
    assert loader == etl.settings.Settings("raw", replace(ETL_TARGET, port=5432))


@pytest.mark.parametrize("text", ["0", "-1", "1.5", "many", "²", " 7"])
def test_a_number_that_is_not_whole_and_above_0_is_refused_by_name(text: str) -> None:
    environment = Environment({"N": text})
    reads: list[Callable[[], object]] = [
        lambda: environment.positive("N", 1),
        lambda: environment.duration("N", timedelta(hours=1), timedelta(hours=2)),
    ]
    for read in reads:
        with pytest.raises(SettingsError, match=r"^N is .* Fix: set a whole number above 0\.$"):
            read()


def test_a_choice_that_does_not_exist_is_refused_with_those_that_do() -> None:
    assert Environment({"C": "blue"}).choice("C", Colour.RED) is Colour.BLUE
    with pytest.raises(SettingsError, match=r"^C is 'green'\. Fix: set one of red, blue\.$"):
        Environment({"C": "green"}).choice("C", Colour.RED)


@pytest.mark.parametrize("variables", [{}, {"R": ""}])
def test_a_required_variable_that_is_missing_is_refused_by_name(variables: dict[str, str]) -> None:
    with pytest.raises(SettingsError, match=r"^R is not set\. Fix: "):
        Environment(variables).required("R")
