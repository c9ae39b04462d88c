"""Structured log lines and metrics on standard output.

One JSON object per line. A line with metrics follows CloudWatch's embedded metric format: CloudWatch extracts
the metrics from the log, and the function calls nothing. (The loader's network has no route to CloudWatch.)
Lambda reads `level` and `timestamp` of a line (RFC 3339; without one the level counts as INFO) and keeps
lines from the function's log level on. Metrics are lines of level INFO, so a level above would lose them.
No line may have personal data: no address, no user, no event.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final, Literal

NAMESPACE: Final = "Clickstream"

Level = Literal["DEBUG", "INFO", "WARN", "ERROR"]
"""As Lambda spells them: another name counts as INFO."""

_UNITS: Final = {"Bytes": "Bytes", "Ms": "Milliseconds", "Seconds": "Seconds"}


def log(level: Level, message: str, **properties: object) -> None:
    """Write one structured line: `timestamp`, `level`, `message` and other properties."""
    _write(level, message, properties)


def log_metrics(
    function: str, message: str, metrics: Mapping[str, int | float], **properties: object
) -> None:
    """Write one structured line whose `metrics` CloudWatch records with the dimension `Function`.

    The end of a metric's name gives its unit: `...Bytes`, `...Ms`, `...Seconds`, otherwise a count.
    """
    declared = [{"Name": name, "Unit": _unit(name)} for name in metrics]
    _write(
        "INFO",
        message,
        {
            "_aws": {
                "Timestamp": time.time_ns() // 1_000_000,
                "CloudWatchMetrics": [
                    {
                        "Namespace": NAMESPACE,
                        "Dimensions": [["Function"]],
                        "Metrics": declared,
                    }
                ],
            },
            "Function": function,
            **metrics,
            **properties,
        },
    )


def _unit(name: str) -> str:
    return next((unit for ending, unit in _UNITS.items() if name.endswith(ending)), "Count")


def _write(level: Level, message: str, properties: Mapping[str, object]) -> None:
    timestamp = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    line = {"timestamp": timestamp, "level": level, "message": message, **properties}
    # One write per line: Lambda makes a log record of each write.
    sys.stdout.write(json.dumps(line, default=str, separators=(",", ":")) + "\n")
    sys.stdout.flush()
