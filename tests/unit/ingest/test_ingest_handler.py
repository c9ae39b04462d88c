"""The collector's Lambda entry point, with S3 replaced."""

from __future__ import annotations

import importlib
import json
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from test_collect import GOOD, request

CONTEXT = SimpleNamespace(aws_request_id="lambda-1")


class FakeS3:
    """Remembers puts, or raises."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.puts: list[dict[str, Any]] = []

    def put_object(self, **put: Any) -> None:
        if self.error is not None:
            raise self.error
        self.puts.append(put)


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    for name, value in {
        "RAW_BUCKET": "raw",
        "AWS_DEFAULT_REGION": "ap-southeast-1",
        "AWS_ACCESS_KEY_ID": "x",
        "AWS_SECRET_ACCESS_KEY": "x",
    }.items():
        monkeypatch.setenv(name, value)
    import ingest.handler

    return importlib.reload(ingest.handler)


def test_a_request_is_stored_answered_and_counted(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = FakeS3()
    monkeypatch.setattr(module, "_S3", s3)
    response = module.handler(request([GOOD, {}]), CONTEXT)
    assert response["statusCode"] == 200
    assert [put["Bucket"] for put in s3.puts] == ["raw", "raw"]
    assert s3.puts[1]["ContentType"] == "application/json" and "ContentEncoding" not in s3.puts[1]
    [line] = capsys.readouterr().out.splitlines()
    logged = json.loads(line)
    assert (logged["Accepted"], logged["Rejected"], logged["Rejected_no_event_name"]) == (1, 1, 1)
    assert "_aws" not in logged, "each metric's name is paid for, and nothing asks for one"


@pytest.mark.parametrize(
    "error",
    [
        ClientError({"Error": {"Code": "SlowDown", "Message": "203.0.113.77"}}, "PutObject"),
        EndpointConnectionError(endpoint_url="https://s3"),
        RuntimeError("surprise about 203.0.113.77"),
    ],
)
def test_a_failure_is_answered_500_with_the_hint_to_repeat(
    module: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: Exception,
) -> None:
    monkeypatch.setattr(module, "_S3", FakeS3(error))
    response = module.handler(request(GOOD), CONTEXT)
    body = json.loads(response["body"])
    assert response["statusCode"] == 500
    assert body["success"] is False and "safe" in body["hint"]
    out = capsys.readouterr().out
    assert all(json.loads(line) for line in out.splitlines())
    assert "ERROR" in out


def test_no_personal_data_is_logged(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "_S3", FakeS3())
    personal = GOOD | {"userId": "alice@example.org", "clientId": "client-secret"}
    for body in (personal, [personal, {"userId": "alice@example.org"}], '{"userId": "alice@example.org"'):
        module.handler(request(body), CONTEXT)
    monkeypatch.setattr(module, "_S3", FakeS3(RuntimeError("alice@example.org")))
    module.handler(request(personal), CONTEXT)
    out = capsys.readouterr().out
    for secret in ("alice", "client-secret", "203.0.113.77", "Firefox"):
        assert secret not in out


def test_of_refused_events_a_day_has_a_share_and_accepted_ones_are_always_stored(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    s3 = FakeS3()
    monkeypatch.setattr(module, "_S3", s3)
    monkeypatch.setattr(module, "_REJECTED", module.DayShare(600))
    for _ in range(5):
        module.handler(request([{}, GOOD, {}]), CONTEXT)
    folders = [put["Key"].split("/")[0] for put in s3.puts]
    assert folders.count("events") == 5
    kept = folders.count("rejected")
    assert 0 < kept < 5
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["Rejected"] for line in lines] == [2] * 5
    assert [line["RejectedNotKept"] for line in lines] == [0] * kept + [2] * (5 - kept)
    assert all((line["RejectedNotKeptBytes"] > 0) == (line["RejectedNotKept"] > 0) for line in lines)
    told = [
        json.loads(put["Body"])["_ingest"]["refusals"] for put in s3.puts if put["Key"].startswith("events")
    ]
    assert told == [{"events": 2, "kept": 2}] * kept + [{"events": 2, "kept": 0}] * (5 - kept)


def test_what_was_refused_is_said_once_by_the_next_raw_object_that_is_stored(
    module: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    s3 = FakeS3()
    monkeypatch.setattr(module, "_S3", s3)
    monkeypatch.setattr(module, "_REJECTED", module.DayShare(800))
    for body in ("no JSON", [{}], "x" * 2000):  # the last one is more than is left of the share
        module.handler(request(body), CONTEXT)
    monkeypatch.setattr(module, "_S3", FakeS3(RuntimeError("away")))
    module.handler(request(GOOD), CONTEXT)
    monkeypatch.setattr(module, "_S3", s3)
    for _ in range(2):
        module.handler(request(GOOD), CONTEXT)
    first, second = (json.loads(put["Body"])["_ingest"] for put in s3.puts if put["Key"].startswith("events"))
    assert first["refusals"] == {"events": 3, "kept": 2}
    assert "refusals" not in second
