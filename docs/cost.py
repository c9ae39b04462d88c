#!/usr/bin/env python3
"""What the platform costs a month, from the prices and assumptions in prices.json beside this file.

    python docs/cost.py            prints README's two tables; a unit test holds README to them

Prices are list prices without AWS's free allowances (a million Lambda requests, 5 GB of logs, ten metrics and
alarms a month), which an account uses for all that runs in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("prices.json")
KB = 1e-6
"""A kilobyte in GB."""


@dataclass(frozen=True)
class Load:
    """Events a month, and how many of them one request brings."""

    events: float
    batch: float

    @property
    def requests(self) -> float:
        """Requests a month; each makes one raw object."""
        return self.events / self.batch


@dataclass(frozen=True)
class Line:
    """One row of the table."""

    what: str
    how: str
    usd: float


LOADS = (Load(1e6, 1), Load(26e6, 1), Load(26e6, 10))
"""26 million events a month are ten a second."""


def read(path: Path = FILE) -> tuple[dict[str, float], dict[str, float], dict[str, Any]]:
    """Prices in USD, assumptions, and the whole file."""
    file = json.loads(path.read_text(encoding="utf-8"))
    prices = {name: float(one["usd"]) for name, one in file["prices"].items()}
    return prices, {name: float(one["is"]) for name, one in file["assumptions"].items()}, file


def disk_gb(load: Load, a: Mapping[str, float]) -> float:
    """The host's disk: the system and the rows that are kept, and at least the role's default."""
    rows = load.events * a["months_kept"] * a["row_kb"] * KB
    return max(a["disk_gb"], a["system_gb"] + rows)


def per_request(
    p: Mapping[str, float],
    a: Mapping[str, float],
    body_kb: float = 1,
    seconds: float | None = None,
    puts: float = 1,
) -> float:
    """What one request costs on its way to the raw bucket, without what is kept."""
    units = max(1, -(-body_kb // 512))  # HTTP APIs are metered in steps of 512 KB
    if seconds is None:
        seconds = a["ingest_seconds"] + body_kb * a["ingest_seconds_per_kb"]
    return (
        units * p["http_api_million"] / 1e6
        + p["lambda_million"] / 1e6
        + a["ingest_memory_gb"] * seconds * p["lambda_gb_second"]
        + puts * p["s3_put_thousand"] / 1e3
        + a["log_kb"] * KB * p["logs_gb"]
        + a["answer_kb"] * KB * p["out_gb"]
    )


def lines(load: Load, p: Mapping[str, float], a: Mapping[str, float]) -> list[Line]:
    """The table's rows for a load."""
    requests, hours = load.requests, a["hours"]
    etl_seconds = a["etl_runs"] * a["etl_seconds"] + requests * a["etl_seconds_per_object"]
    ingest = (
        requests * p["lambda_million"] / 1e6
        + requests * a["ingest_memory_gb"] * a["ingest_seconds"] * p["lambda_gb_second"]
    )
    etl = a["etl_memory_gb"] * etl_seconds * p["lambda_gb_second"]
    kept = load.events * a["months_kept"] * a["event_kb"] * KB
    requests_s3 = requests / 1e3 * (p["s3_put_thousand"] + p["s3_get_thousand"])
    nat_hours = a["nat_hours"]
    return [
        Line("analytics host", "`t4g.medium`, always on", hours * p["t4g_medium_hour"]),
        Line("CPU credits", "`standard`: none can be bought", a["surplus_vcpu_hours"] * p["t4g_vcpu_hour"]),
        Line("its disk", "gp3, with the rows of a year", disk_gb(load, a) * p["gp3_gb"]),
        Line(
            "interface endpoints",
            "`ssm`, `ssmmessages`",
            a["interface_endpoints"] * hours * p["endpoint_hour"],
        ),
        Line("S3 gateway endpoint", "free", 0.0),
        Line(
            "NAT gateway",
            "while packages install: an hour",
            nat_hours * (p["nat_hour"] + p["public_ip_hour"]) + a["nat_gb"] * p["nat_gb"],
        ),
        Line("HTTP API", "per request", requests * p["http_api_million"] / 1e6),
        Line("Lambdas", "one ingest a request, 730 ETL runs", ingest + etl),
        Line("S3", "a PUT and a GET a request; a year of events", requests_s3 + kept * p["s3_gb"]),
        Line(
            "logs", "2 GB a million requests", requests * a["log_kb"] * KB * (p["logs_gb"] + p["log_kept_gb"])
        ),
        Line(
            "AWS's own logs",
            "who asked what of the raw bucket, 90 days; refused packets",
            requests * a["raw_calls"] * a["access_log_kb"] * KB * a["access_log_months"] * p["s3_gb"]
            + a["flow_log_gb"] * (p["vended_gb"] + a["access_log_months"] * p["s3_gb"]),
        ),
        Line("queue of failed runs", "a message a failed run", 0.0),
        Line("accounts", "free up to 10,000 users who sign in a month", 0.0),
        Line("metrics by EMF", "none are emitted", a["emf_metrics"] * p["metric"]),
        Line("detailed route metrics", "off", a["route_metrics"] * p["metric"]),
        Line("alarms", "none are made", a["alarms"] * p["alarm"]),
        Line("answers to browsers", "per GB out", requests * a["answer_kb"] * KB * p["out_gb"]),
    ]


def dollars(amount: float) -> str:
    """An amount as the table shows it."""
    return "0" if amount == 0 else "< 0.1" if amount < 0.05 else f"{amount:,.1f}"


def table(p: Mapping[str, float], a: Mapping[str, float]) -> str:
    """README's table of a month."""
    columns = [lines(load, p, a) for load in LOADS]
    rows = [
        "| component | how it is counted | 1 M events | 26 M | 26 M, ten a request |",
        "|---|---|---|---|---|",
    ]
    for row in zip(*columns, strict=True):
        amounts = " | ".join(dollars(line.usd) for line in row)
        rows.append(f"| {row[0].what} | {row[0].how} | {amounts} |")
    sums = " | ".join(f"**{sum(line.usd for line in column):,.0f}**" for column in columns)
    return "\n".join([*rows, f"| **all** | USD a month | {sums} |"])


@dataclass(frozen=True)
class Flood:
    """One row of the table of floods: requests of a day, what each costs, and what is kept of them all."""

    what: str
    requests: float
    each: float
    kept_gb: float


def floods(p: Mapping[str, float], a: Mapping[str, float]) -> list[Flood]:
    """What each limit lets through on a day."""
    rate, day, calls = a["rate_limit"], 86400, a["reserved_concurrency"]
    # a refused event is stored until each function that runs has stored its day's share
    share_gb = calls * a["rejected_day_mb"] / 1e3
    refused_puts = min(1.0, share_gb / KB / (rate * day))
    slow = calls * day / a["ingest_timeout"]
    large = a["max_body_kb"]
    return [
        Flood("small requests at the default limit", rate * day, per_request(p, a), rate * day * KB),
        Flood("small requests at `http_api_rate_limit: 10`", 10 * day, per_request(p, a), 10 * day * KB),
        Flood(
            "the largest bodies at the default limit",
            rate * day,
            per_request(p, a, large),
            rate * day * large * KB,
        ),
        Flood(
            "refused requests at the default limit",
            rate * day,
            per_request(p, a, puts=refused_puts),
            min(share_gb, rate * day * KB),
        ),
        Flood(
            f"calls that last until `ingest_timeout`, {calls:.0f} at once (`ingest_reserved_concurrency`)",
            slow,
            per_request(p, a, seconds=a["ingest_timeout"]),
            slow * KB,
        ),
    ]


def flood(p: Mapping[str, float], a: Mapping[str, float]) -> str:
    """README's table of a day of as many requests as a limit lets through."""
    rows = ["| a day of | requests | USD that day | and a month for what is kept |", "|---|---|---|---|"]
    for one in floods(p, a):
        day, kept = one.requests * one.each, one.kept_gb * p["s3_gb"]
        rows.append(f"| {one.what} | {one.requests / 1e6:.1f} M | {day:,.0f} | {dollars(kept)} |")
    return "\n".join(rows)


def main() -> None:
    """Print both tables, and the prices that nobody has looked up since."""
    prices, assumptions, file = read()
    print(table(prices, assumptions), flood(prices, assumptions), sep="\n\n")
    unverified = [name for name, one in file["prices"].items() if not one["source"]]
    print(f"\nPrices of {file['date']}, {file['region']}. Not verified: {', '.join(unverified)}.")


if __name__ == "__main__":
    main()
