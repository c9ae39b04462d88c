"""The Lambda entry point of the loader: `etl.handler.handler`."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

from botocore.config import Config

from contract.telemetry import log
from etl.answer import Answer, busy_answer
from etl.connection import Busy, Connect, connector
from etl.fetch import Fetcher
from etl.payload import read_payload
from etl.run import Run
from etl.settings import Settings, Target
from etl.store import S3Store, Store, aws_session
from etl.warehouse import Warehouse

_SESSION: Final = aws_session()
# SBW_Lamda_ETL is spelt so on purpose: it is the name that the owner of the platform gave to the function.


def handler(event: object, context: Any) -> Answer:
    """Load raw objects into the warehouse; see `etl.payload` for what `event` may ask."""
    selection, payload = read_payload(event)
    settings = Settings.from_environment(os.environ)
    deadline = _deadline(context, settings.tuning.stop_before.total_seconds())
    try:
        with Warehouse(_connector(settings.target)) as warehouse:
            run = Run(
                _store(settings.raw_bucket),
                warehouse,
                selection,
                settings.tuning,
                settings.clock_rules,
                seconds_left=lambda: deadline - time.monotonic(),
            )
            answer = run.load(payload, datetime.now(UTC))
    except Busy:
        log("WARN", "another run is loading")
        return busy_answer()
    _report(answer)
    return answer


def _store(bucket: str) -> Store:
    client = _client("s3")
    return S3Store(client, bucket, Fetcher(_SESSION.get_credentials(), client.meta.region_name))


def _deadline(context: Any, stop_before: float) -> float:
    """Return when to stop, on the monotonic clock: never, if the function has no time limit."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    if remaining is None:
        return float("inf")
    return time.monotonic() + remaining() / 1000 - stop_before


def _connector(target: Target) -> Connect:
    """Return a function that opens connections, with the secrets as they are now."""
    names = [name for name in (target.password_parameter, target.ca_parameter) if name]
    secrets: dict[str, str] = {}
    if names:
        ssm = _client("ssm")
        for name in names:
            answer = ssm.get_parameter(Name=name, WithDecryption=True)
            secrets[name] = answer["Parameter"]["Value"]
    password = target.password or secrets[target.password_parameter or ""]
    certificate = secrets.get(target.ca_parameter or "")

    @contextmanager
    def ca_file() -> Iterator[str]:
        # libpq reads the certificate from a file, while it connects.
        with tempfile.NamedTemporaryFile("w", suffix=".pem", encoding="ascii") as file:
            file.write(certificate or "")
            file.flush()
            yield file.name

    return connector(target, password, ca_file if certificate is not None else None)


def _client(service: str, **options: Any) -> Any:
    config = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": 4},
        **options,
    )
    return _SESSION.create_client(service, config=config)


def _report(answer: Answer) -> None:
    objects, events = answer["objects"], answer["events"]
    log(
        "INFO",
        "run ended",
        ObjectsListed=objects["listed"],
        ObjectsSkipped=objects["skipped"],
        ObjectsRead=objects["read"],
        ObjectsFailed=objects["failed"],
        ObjectsLeft=objects["left"],
        ObjectsSetAside=objects["set_aside"],
        EventsLoaded=events["loaded"],
        EventsDuplicate=events["duplicate"],
        EventsRejected=events["rejected"],
        Seconds=answer["seconds"],
        status=answer["status"],
        failures=answer["failures"],
    )
