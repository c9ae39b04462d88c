"""What a call may ask of the ETL: its payload -> a selection of raw objects."""

from __future__ import annotations

from typing import Any

import pytest

from etl.payload import PayloadError, Selection, read_payload


@pytest.mark.parametrize(
    ("payload", "selection"),
    [
        (None, Selection(arrived=True)),
        ({}, Selection(arrived=True)),
        ({"detail-type": "Scheduled Event", "source": "aws.events", "time": "x"}, Selection(arrived=True)),
        ({"after": "events/2025/k"}, Selection(after="events/2025/k", arrived=True)),
        ({"reprocess": True}, Selection(reprocess=True)),
        ({"prefix": "events/2025/12/06/05/"}, Selection("events/2025/12/06/05/")),
        (
            {"start": "2025-12-06T05:10:00Z", "end": "2025-12-06T07:00:00Z"},
            Selection(after="events/2025/12/06/05", before="events/2025/12/06/07"),
        ),
        ({"end": "2025-12-06T23:00:01+07:00"}, Selection(before="events/2025/12/06/17")),
        (
            {"start": "2025-12-06T05:00:00Z", "after": "events/2025/12/06/06/k", "reprocess": True},
            Selection(after="events/2025/12/06/06/k", reprocess=True),
        ),
    ],
)
def test_a_payload_selects_raw_objects(payload: Any, selection: Selection) -> None:
    assert read_payload(payload)[0] == selection


def test_an_hours_folder_sorts_before_its_keys_and_after_those_of_earlier_hours() -> None:
    selection, _ = read_payload({"start": "2025-12-06T05:00:00Z", "end": "2025-12-06T06:00:00Z"})
    assert selection.before is not None
    assert "events/2025/12/06/04/event-z.json" < selection.after < "events/2025/12/06/05/event-0.json"
    assert "events/2025/12/06/05/event-z.json" < selection.before < "events/2025/12/06/06/event-0.json"


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "x",
        {"prefx": "events/"},
        {"prefix": "other/"},
        {"replay": True, "prefix": "events/"},
        {"prefix": 5},
        {"prefix": "events/", "start": "2025-12-06"},
        {"start": "yesterday"},
        {"start": "2025-12-06T05:00:00Z", "end": "2025-12-06T05:00:00Z"},
        {"reprocess": "yes"},
    ],
)
def test_a_wrong_payload_is_refused(payload: Any) -> None:
    with pytest.raises(PayloadError):
        read_payload(payload)
