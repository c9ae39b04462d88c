"""Filter: what a verification found, as the rows of its closing table."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.clickstream.aws.plugins.module_utils.stations import (
    Station,
    counted,
    station,
)

DOCUMENTATION = r"""
name: verification
short_description: What a verification found, as the rows of the table that it ends with
description: Compares what was sent with what each station behind the collector holds.
positional: raw, etl, rows, page
options:
  _input:
    description: The result of M(clickstream.aws.collector_probe).
    type: dict
    required: true
  raw:
    description: The result of M(clickstream.aws.raw_probe).
    type: dict
    required: true
  etl:
    description: The ETL's answer.
    type: dict
    required: true
  rows:
    description: The row that C(files/verify/compare_events.sql) gives.
    type: dict
    required: true
  page:
    description: The result of M(ansible.builtin.uri) on the dashboard's page.
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Put the stations together
  ansible.builtin.set_fact:
    stations: "{{ sent | clickstream.aws.verification(raw, etl, rows, page) }}"
"""

RETURN = r"""
_value:
  description: The rows, in the order of the pipeline.
  type: list
  elements: dict
"""

EVENTS_ON_PAGE = re.compile(r'<meta name="clickstream-events-last-hour" content="(\d+)"')
"""How the dashboard's page says how many events of the last hour its database user can see."""


def verification(
    sent: Mapping[str, Any],
    raw: Mapping[str, Any],
    etl: Mapping[str, Any],
    rows: Mapping[str, Any],
    page: Mapping[str, Any],
) -> list[Station]:
    """The table's rows; a station whose result is missing (its task failed) does not pass."""
    wanted = len(sent.get("rows", []))
    ids = {row["event_id"] for row in sent.get("rows", [])}
    return [
        *sent.get("stations", [station("collector", "answers", "no answer")]),
        counted("raw bucket: objects", sent.get("requests", 0), len(raw.get("objects", [])), "objects"),
        counted("raw bucket: events by id", wanted, len(ids & set(raw.get("event_ids", []))), "events"),
        station("raw bucket: rejected kept", True, bool(raw.get("rejected"))),
        station("ETL: status", "complete", etl.get("status", "no answer")),
        counted("ETL: objects failed", 0, etl.get("objects", {}).get("failed", -1), "objects"),
        counted("warehouse: rows", wanted, rows.get("found", 0), "rows"),
        _by_value(wanted, rows),
        *_counts(sent, rows),
        station("dashboard: page", 200, page.get("status", "no answer")),
        _seen(sent.get("recent", 0), page),
    ]


def _by_value(wanted: int, rows: Mapping[str, Any]) -> Station:
    row = counted("warehouse: rows by value", wanted, rows.get("equal", 0), "rows")
    if rows.get("first_difference"):
        row["found"] += f"; e.g. {rows['first_difference']}"
    return row


COUNTS = {"pages": "pages seen", "orders": "orders, each once", "units": "units bought", "revenue": "revenue"}


def _counts(sent: Mapping[str, Any], rows: Mapping[str, Any]) -> list[Station]:
    """The tables of the model beside what was sent; rows that are right can still be counted wrongly."""
    stations = []
    for key, name in COUNTS.items():
        row = station(f"warehouse: {name}", sent.get("counts", {}).get(key, 0), rows.get(key, "no answer"))
        if not row["ok"] and rows.get("equal") == len(sent.get("rows", [])):
            row["found"] += (
                "; the rows are right. site.yml --check --diff shows whether a trigger was changed"
            )
        stations.append(row)
    return stations


def _seen(wanted: int, page: Mapping[str, Any]) -> Station:
    found = EVENTS_ON_PAGE.search(page.get("content", ""))
    seen = int(found.group(1)) if found else 0
    return {
        "station": "dashboard: events it can see",
        "expected": f"at least {wanted}",
        "found": str(seen),
        "ok": seen >= wanted,
    }


class FilterModule:
    """What Ansible loads."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """The filters of this file by name."""
        return {"verification": verification}
