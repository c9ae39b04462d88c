"""Log lines are as Lambda's JSON log format reads them, so that its log level drops no error.

AWS Lambda Developer Guide, "Log-level filtering": a line counts by its `level` if that is one of Lambda's and
`timestamp` is in RFC 3339, and as INFO otherwise.
"""

from __future__ import annotations

import json
import re

import pytest

from contract.telemetry import Level, log

LEVELS = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"]
RFC_3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)")


def kept(line: str, level: str) -> bool:
    """Whether Lambda keeps the line at the function's log level."""
    fields = json.loads(line)
    counts = fields["level"] if RFC_3339.fullmatch(fields.get("timestamp", "")) else "INFO"
    return LEVELS.index(counts) >= LEVELS.index(level)


@pytest.mark.parametrize(("level", "last"), [("DEBUG", "DEBUG"), ("WARN", "WARN"), ("ERROR", "ERROR")])
def test_a_line_is_kept_up_to_its_own_level(
    level: Level, last: str, capsys: pytest.CaptureFixture[str]
) -> None:
    log(level, "storage failed", requestId="r")
    line = capsys.readouterr().out
    assert [one for one in LEVELS if kept(line, one)][-1] == last
    assert json.loads(line)["requestId"] == "r"
