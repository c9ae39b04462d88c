"""A session's port that stays open between runs: it must lead to where it is asked to, or be opened anew."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.modules import port_forward

PLUGIN = """#!/usr/bin/env python3
import json, socket, sys
port = int(json.loads(sys.argv[5])["Parameters"]["localPortNumber"][0])
listener = socket.create_server(("127.0.0.1", port))
while True:
    listener.accept()[0].close()
"""


class Ssm:
    """Session Manager, as far as the module asks it."""

    meta = SimpleNamespace(region_name="ap-southeast-1", endpoint_url="http://127.0.0.1:9")

    def __init__(self) -> None:
        self.open: list[str] = []

    def start_session(self, **request: Any) -> dict[str, Any]:
        self.open.append(f"session-{request['Target']}")
        return {"SessionId": self.open[-1], "ResponseMetadata": {}}

    def terminate_session(self, SessionId: str) -> None:
        self.open.remove(SessionId)


@pytest.fixture
def params(tmp_path: Path) -> dict[str, Any]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    record = str(tmp_path / "record.json")
    return {
        "instance_id": "i-1",
        "port": 3838,
        "local_port": port,
        "record": record,
        "profile": None,
        "timeout": 20,
    }


@pytest.fixture
def session(params: dict[str, Any], tmp_path: Path) -> Iterator[tuple[Ssm, dict[str, Any]]]:
    """A session that was started, and what the module remembers of it."""
    plugin = tmp_path / "plugin"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    ssm = Ssm()
    port_forward.start(SimpleNamespace(params=params), ssm, str(plugin))
    record = json.loads(Path(params["record"]).read_text())
    yield ssm, record
    if port_forward.runs(record):
        port_forward.stop(ssm, record)


def test_a_session_that_leads_there_is_kept(
    session: tuple[Ssm, dict[str, Any]], params: dict[str, Any]
) -> None:
    assert port_forward.leads_there(session[1], params)


@pytest.mark.parametrize("other", [{"instance_id": "i-2"}, {"port": 5432}, {"local_port": 1}])
def test_one_that_leads_elsewhere_is_not(
    other: dict[str, Any], session: tuple[Ssm, dict[str, Any]], params: dict[str, Any]
) -> None:
    assert not port_forward.leads_there(session[1], {**params, **other})


def test_one_that_was_remembered_by_an_older_version_is_not(
    session: tuple[Ssm, dict[str, Any]], params: dict[str, Any]
) -> None:
    record = {name: session[1][name] for name in ("pid", "session_id")}
    assert port_forward.runs(record)
    assert not port_forward.leads_there(record, params)


def test_stopping_ends_process_and_session(
    session: tuple[Ssm, dict[str, Any]], params: dict[str, Any]
) -> None:
    ssm, record = session
    assert ssm.open == ["session-i-1"]
    port_forward.stop(ssm, record)
    assert ssm.open == []
    assert not port_forward.runs(record)
    assert not port_forward.answers(params["local_port"])
