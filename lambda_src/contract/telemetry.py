"""Structured log lines on standard output.

One JSON object per line; numbers in it are for CloudWatch Logs Insights. They are no metrics of CloudWatch:
each name would be paid for by the month, and no alarm asks for one.
No line may have personal data: no address, no user, no event.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping


def log(level: str, message: str, **properties: object) -> None:
    """Write one structured line: `level`, `message` and other properties."""
    _write({"level": level, "message": message, **properties})


def _write(line: Mapping[str, object]) -> None:
    # One write per line: Lambda makes a log record of each write.
    sys.stdout.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
    sys.stdout.flush()
