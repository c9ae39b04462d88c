"""Structured log lines on standard output.

One JSON object per line; numbers in it are for CloudWatch Logs Insights. They are no metrics of CloudWatch:
each name would be paid for by the month, and no alarm asks for one.
Lambda reads `level` and `timestamp` of a line (RFC 3339; without one the level counts as INFO) and keeps
lines from the function's log level on.
No line may have personal data: no address, no user, no event.
"""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime
from typing import Literal

Level = Literal["DEBUG", "INFO", "WARN", "ERROR"]
"""As Lambda spells them: another name counts as INFO."""


def log(level: Level, message: str, **properties: object) -> None:
    """Write one structured line: `timestamp`, `level`, `message` and other properties."""
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"timestamp": timestamp, "level": level, "message": message, **properties}
    # One write per line: Lambda makes a log record of each write.
    sys.stdout.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
    sys.stdout.flush()
