"""The ETL's Lambda entry point, with S3 and the parameter store replaced and a real PostgreSQL."""

from __future__ import annotations

import importlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import psycopg2
import pytest

from tests.support.postgres import DATABASE, LOADER, ThrowawayPostgres
from tests.support.raw_store import LAST_MODIFIED

EVENT = {"eventName": "purchase", "eventTimestamp": "2025-12-06T05:00:00Z"}
# An hour that every run lists.
FOLDER = datetime.now(UTC).strftime("events/%Y/%m/%d/%H")
KEY = f"{FOLDER}/event-1.json"


class FakeAws:
    """The clients that the handler asks for."""

    def __init__(self, parameters: dict[str, str], objects: dict[str, bytes]) -> None:
        self.parameters, self.objects = parameters, objects
        self.asked: list[tuple[str, bool]] = []

    def client(self, _service: str, **_options: Any) -> FakeAws:
        return self

    def get_parameter(self, Name: str, WithDecryption: bool) -> dict[str, Any]:
        self.asked.append((Name, WithDecryption))
        return {"Parameter": {"Value": self.parameters[Name]}}

    def get_paginator(self, _name: str) -> FakeAws:
        return self

    def paginate(self, Prefix: str, StartAfter: str = "", **_: str) -> Iterator[dict[str, Any]]:
        keys = [key for key in sorted(self.objects) if key.startswith(Prefix) and key > StartAfter]
        yield {
            "Contents": [
                {"Key": key, "ETag": '"e"', "Size": len(self.objects[key]), "LastModified": LAST_MODIFIED}
                for key in keys
            ]
        }

    @property
    def meta(self) -> SimpleNamespace:
        return SimpleNamespace(region_name="r", events=SimpleNamespace(register=lambda *_: None))

    def fetcher(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(get=lambda _base, key: self.objects[key])


@pytest.fixture
def handler(monkeypatch: pytest.MonkeyPatch, postgres: ThrowawayPostgres) -> ModuleType:
    environment = {
        "RAW_BUCKET": "raw",
        "DWH_HOST": str(postgres.directory),
        "DWH_USER": LOADER,
        "DWH_DATABASE": DATABASE,
        "DWH_PASSWORD_PARAMETER": "/password",
        "AWS_DEFAULT_REGION": "ap-southeast-1",
    }
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    return importlib.import_module("etl.handler")


def test_a_run_answers_and_reports(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    aws = FakeAws({"/password": "top-secret"}, {KEY: json.dumps({"events": [EVENT, 5]}).encode()})
    monkeypatch.setattr(handler, "_client", aws.client)
    monkeypatch.setattr(handler, "Fetcher", aws.fetcher)
    context = SimpleNamespace(get_remaining_time_in_millis=lambda: 300_000)
    answer = handler.handler({}, context)
    assert json.loads(json.dumps(answer)) == answer
    assert answer["status"] == "complete"
    assert answer["events"] == {"read": 2, "loaded": 1, "duplicate": 0, "rejected": 1}
    assert aws.asked == [("/password", True)]
    out = capsys.readouterr().out
    [line] = [json.loads(text) for text in out.splitlines()]
    assert (line["EventsLoaded"], line["EventsRejected"], line["status"]) == (1, 1, "complete")
    assert "_aws" not in line, "each metric's name is paid for, and nothing asks for one"
    assert "top-secret" not in out

    # Hardly any time is left: nothing is loaded, and the answer says so.
    aws.objects[f"{FOLDER}/event-2.json"] = json.dumps([EVENT]).encode()
    short = handler.handler({}, SimpleNamespace(get_remaining_time_in_millis=lambda: 1_000))
    assert short["status"] == "incomplete" and short["objects"]["left"] == 1


def test_a_run_beside_another_says_so(
    handler: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    postgres: ThrowawayPostgres,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(handler, "_client", FakeAws({"/password": "x"}, {}).client)
    other = postgres.connect(LOADER)
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(6022170)")
    answer = handler.handler({}, None)
    other.close()
    assert answer["status"] == "busy" and answer["events"]["read"] == 0
    line = json.loads(capsys.readouterr().out)
    assert (line["level"], line["message"]) == ("WARN", "another run is loading")


def test_the_ca_is_on_disk_only_while_connecting(
    handler: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}

    def connect(**options: Any) -> None:
        seen.update(options, certificate=Path(options["sslrootcert"]).read_text())
        raise psycopg2.OperationalError("no server")

    monkeypatch.setenv("DWH_CA_PARAMETER", "/ca")
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    monkeypatch.setattr(handler, "_client", FakeAws({"/password": "x", "/ca": "PEM"}, {}).client)
    monkeypatch.setattr(psycopg2, "connect", connect)
    with pytest.raises(psycopg2.OperationalError):
        handler.handler({}, None)
    assert (seen["sslmode"], seen["certificate"]) == ("verify-full", "PEM")
    assert not list(tmp_path.iterdir())
