"""The Lambda entry point of the collector: `ingest.handler.handler`."""

from __future__ import annotations

import os
import time
import traceback
import uuid
from datetime import UTC, date, datetime
from functools import partial
from typing import Any, Final

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from contract.telemetry import log
from ingest.answer import Response, refused
from ingest.collect import Moment, Outcome, StorageError, collect
from ingest.raw import NONE_REFUSED, Refusals, StoredObject, is_rejected
from ingest.settings import Settings

RETRY_HINT: Final = "No event was acknowledged. It is safe to send the same request again."

# Created once per execution environment, outside the handler. botocore alone starts in half of boto3's time.
_SETTINGS: Final = Settings.from_environment(os.environ)
_S3: Final[Any] = botocore.session.get_session().create_client(
    "s3",
    config=Config(
        # Several objects may have to be stored, and the function's time limit must leave time for a response.
        connect_timeout=1,
        read_timeout=4,
        retries={"mode": "standard", "total_max_attempts": 2},
    ),
)


def handler(event: dict[str, Any], context: object) -> Response:
    """Answer one request of the HTTP API (payload format 2.0)."""
    started = time.perf_counter()
    request_id = getattr(context, "aws_request_id", None)
    moment = Moment(
        received_at=datetime.now(UTC),
        object_id=str(uuid.uuid4()),
        trace_id=os.environ.get("_X_AMZN_TRACE_ID"),
        untold=_UNTOLD.refusals,
    )
    storage_errors = 0
    not_kept: list[StoredObject] = []
    try:
        outcome = collect(event, _SETTINGS, moment, partial(_store, not_kept))
        _UNTOLD.refusals = outcome.untold
    except StorageError as error:
        storage_errors = 1
        log("ERROR", "storage failed", requestId=request_id, error=str(error))
        outcome = Outcome(refused(500, "the events could not be stored", RETRY_HINT))
    except Exception as error:
        # The client gets a response of the contract in any case. The log gets the error's type and place, but
        # not its message, which could contain what the client sent.
        frames = traceback.extract_tb(error.__traceback__)[-5:]
        places = [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames]
        kind = type(error).__name__
        log("ERROR", "unexpected failure", requestId=request_id, error=kind, places=places)
        outcome = Outcome(refused(500, "the request could not be handled", RETRY_HINT))
    log(
        "INFO",
        "request",
        **{
            "Accepted": outcome.accepted,
            "Rejected": outcome.rejected,
            "RejectedNotKept": sum(outcome.codes.values()) if not_kept else 0,
            "RejectedNotKeptBytes": sum(len(stored.body) for stored in not_kept),
            "BodyBytes": outcome.body_bytes,
            "LatencyMs": round((time.perf_counter() - started) * 1000, 3),
            "StorageErrors": storage_errors,
            **{f"Rejected_{code}": count for code, count in outcome.codes.items()},
        },
        requestId=request_id,
        status=outcome.response["statusCode"],
    )
    return outcome.response


class DayShare:
    """How much may be stored on one day (UTC); every execution environment has a share of its own."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._day: date | None = None
        self._used = 0

    def takes(self, size: int, day: date) -> bool:
        """Say whether that much may still be stored, and count it then."""
        if day != self._day:
            self._day, self._used = day, 0
        if self._used + size > self.limit:
            return False
        self._used += size
        return True


class Untold:
    """What this execution environment refused, and no raw object says yet. It goes with the environment."""

    refusals: Refusals = NONE_REFUSED


_UNTOLD: Final = Untold()
_REJECTED: Final = DayShare(_SETTINGS.max_rejected_day_bytes)


def _store(not_kept: list[StoredObject], stored: StoredObject) -> bool:
    if is_rejected(stored) and not _REJECTED.takes(len(stored.body), datetime.now(UTC).date()):
        not_kept.append(stored)
        return False
    encoding = {"ContentEncoding": stored.content_encoding} if stored.content_encoding else {}
    try:
        _S3.put_object(
            Bucket=_SETTINGS.raw_bucket,
            Key=stored.key,
            Body=stored.body,
            ContentType="application/json",
            **encoding,
        )
    except ClientError as error:
        # The code, and not the message, which would name bucket and key.
        raise StorageError(error.response.get("Error", {}).get("Code", "unknown")) from error
    except BotoCoreError as error:
        raise StorageError(type(error).__name__) from error
    return True
