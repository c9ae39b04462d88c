"""lambda_src/README.md is true: its examples, fields, names, limits and choices are those of the code."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from contract.fields import (
    EVENT_FIELDS,
    EVENT_ID,
    ITEM_FIELDS,
    ORDER,
    ORDER_FIELDS,
    PRODUCT_FIELDS,
    PRODUCT_QUANTITY,
    Kind,
)
from contract.names import ALIASES, NAMES
from contract.timestamps import ClockRules, TimeSource
from ingest.collect import Moment, collect
from ingest.raw import StoredObject
from ingest.settings import DoNotTrack, Settings, SourceIp

TEXT = (Path(__file__).resolve().parents[3] / "lambda_src/README.md").read_text()
EXAMPLES = re.findall(r"```json request\n(.*?)```\s+```json answer (\d+)\n(.*?)```", TEXT, re.DOTALL)
ROWS = dict(re.findall(r"^\| `([^`]+)` \| (.+?) \|", TEXT, re.MULTILINE))


@pytest.mark.parametrize(("body", "status", "expected"), EXAMPLES)
def test_an_example_is_answered_as_shown(body: str, status: str, expected: str) -> None:
    event = {
        "requestContext": {"http": {"method": "POST", "path": "/clickstream"}},
        "routeKey": "POST /clickstream",
        "headers": {"content-type": "application/json"},
        "body": body,
    }
    stored: list[StoredObject] = []
    moment = Moment(datetime(2026, 11, 26, 9, 30, 3, tzinfo=UTC), "0f0f0f0f-0000-4000-8000-000000000000")
    response = collect(event, Settings("raw"), moment, stored.append).response
    assert response["statusCode"] == int(status)
    assert json.loads(response["body"]) == json.loads(expected)
    keys = [re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<uuid>", one.key) for one in stored]
    assert keys
    for key in keys:
        assert key.replace("2026/11/26/09", "YYYY/MM/DD/HH") in TEXT


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2
    assert TEXT.count("```json ") == 4


def test_every_field_is_listed_with_what_it_holds() -> None:
    fields = [(one.camel, one.kind) for one in (EVENT_ID, *EVENT_FIELDS, ORDER)]
    fields += [(f"product.{one.camel}", one.kind) for one in (*PRODUCT_FIELDS, PRODUCT_QUANTITY)]
    fields += [(f"order.{one.camel}", one.kind) for one in ORDER_FIELDS]
    fields += [(f"order.items.{one.camel}", one.kind) for one in ITEM_FIELDS]
    for name, kind in fields:
        # The longest kind that the cell begins with.
        documented_kind = max(
            (one.value for one in Kind if ROWS[name].startswith(one.value)), key=len, default=""
        )
        assert documented_kind == kind.value, name
    # No other field is documented.
    documented = {name for name, holds in ROWS.items() if any(holds.startswith(kind.value) for kind in Kind)}
    assert documented == {name for name, _ in fields}


def test_names_limits_and_choices_are_those_of_the_code() -> None:
    words = set(re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", TEXT, flags=re.DOTALL)))
    assert words >= NAMES | set(ALIASES)
    assert words >= set(DoNotTrack) | set(SourceIp) | set(TimeSource)
    code, prefix = Settings("raw"), "INGEST_"
    assert {name.removeprefix(prefix): value for name, value in ROWS.items() if name.startswith(prefix)} == {
        "MAX_BODY_BYTES": str(code.max_body_bytes),
        "MAX_DECODED_BYTES": str(code.max_decoded_bytes),
        "MAX_EVENTS": str(code.max_events),
        "MAX_EVENT_BYTES": str(code.max_event_bytes),
        "MAX_DEPTH": str(code.limits.depth),
        "MAX_STRING": str(code.limits.string),
        "MAX_REJECTED_BYTES": str(code.max_rejected_bytes),
        "MAX_REJECTED_DAY_BYTES": str(code.max_rejected_day_bytes),
    }
    rules = ClockRules()
    assert f"more than {rules.skew_tolerance.total_seconds():.0f} seconds" in TEXT
    assert f"more than {rules.max_age_anonymous.days} days before it" in TEXT
    assert f"may be {rules.max_age.days} days old" in TEXT
