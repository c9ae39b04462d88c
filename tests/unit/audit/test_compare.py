"""make audit: a new finding, one that has gone, and what could not be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.audit.compare import NOT_READ, Accepted, DocumentError, Finding, accepted, as_rows, new, stale

DOCUMENT = """# Audit

## Prowler

| check | where | what | why it stays |
|---|---|---|---|
| `s3_logging` | s3 | raw, media | they are read by nobody else |
| open | vpc | * | it is the emulator's |

## Not read

| judge | where | what | why |
|---|---|---|---|
| prowler | guardduty | guardduty_is_enabled | moto has none |
"""
ROWS = accepted(DOCUMENT)
FOUND = [
    Finding("prowler", "s3_logging", "s3", "raw"),
    Finding("prowler", "s3_logging", "s3", "media"),
    Finding("prowler", "open", "vpc", "vpc-1"),
    Finding(NOT_READ, "prowler", "guardduty", "guardduty_is_enabled"),
]


def test_rows_are_read_with_their_section() -> None:
    assert ROWS[0] == Accepted(
        "prowler", "s3_logging", "s3", ("raw", "media"), "they are read by nobody else"
    )
    assert (ROWS[2].judge, ROWS[2].check) == (NOT_READ, "prowler")


def test_what_is_listed_is_neither_new_nor_stale() -> None:
    assert (new(FOUND, ROWS), stale(FOUND, ROWS)) == ([], [])


@pytest.mark.parametrize(
    "finding",
    [
        Finding("prowler", "s3_logging", "s3", "another bucket"),
        Finding("prowler", "s3_logging", "another service", "raw"),
        Finding("prowler", "another check", "s3", "raw"),
        Finding("another judge", "s3_logging", "s3", "raw"),
        Finding(NOT_READ, "prowler", "guardduty", "another_check"),
    ],
    ids=lambda one: f"{one.judge}, {one.what}",
)
def test_a_finding_that_differs_in_anything_is_new(finding: Finding) -> None:
    assert new([*FOUND, finding], ROWS) == [finding]


@pytest.mark.parametrize("gone", FOUND, ids=lambda one: one.what)
def test_a_listed_finding_that_no_longer_occurs_is_stale(gone: Finding) -> None:
    found = [one for one in FOUND if one != gone]
    assert len(stale(found, ROWS)) == 1


def test_a_row_without_a_reason_is_refused_with_its_line() -> None:
    with pytest.raises(DocumentError, match=r"line 3.*Fix"):
        accepted("## Prowler\n\n| check | where | what | |\n".replace("check", "s3_logging"))


def test_new_findings_are_shown_as_rows_that_lack_the_reason() -> None:
    assert list(as_rows(FOUND[:2])) == ["\n## prowler", "| s3_logging | s3 | media, raw | |"]


def test_every_finding_that_stays_has_its_reason() -> None:
    """docs/audit.md itself."""
    document = (Path(__file__).parents[3] / "docs/audit.md").read_text()
    assert accepted(document)
