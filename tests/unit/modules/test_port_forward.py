"""The module port_forward: a session that is open leads to the task's port, or is replaced."""

from __future__ import annotations

import json
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest
from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import wait_for
from ansible_collections.clickstream.aws.plugins.modules import port_forward
from tests.support.fakes import FailedError

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
        self.refusal = ""

    def start_session(self, **request: Any) -> dict[str, Any]:
        self.open.append(f"session-{request['Target']}")
        return {"SessionId": self.open[-1], "ResponseMetadata": {}}

    def terminate_session(self, SessionId: str) -> None:
        if self.refusal:
            raise ClientError({"Error": {"Code": self.refusal, "Message": "no"}}, "TerminateSession")
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


class Module(SimpleNamespace):
    """The Ansible module, as far as the functions ask it."""

    def __init__(self, params: dict[str, Any]) -> None:
        super().__init__(params=params, warnings=[], warn=lambda text: self.warnings.append(text))

    def fail_json(self, msg: str) -> NoReturn:
        raise FailedError(msg)


Session = tuple[Module, Ssm, dict[str, Any]]


@pytest.fixture
def session(params: dict[str, Any], tmp_path: Path) -> Iterator[Session]:
    """A session that was started, and what the module remembers of it."""
    plugin = tmp_path / "plugin"
    plugin.write_text(PLUGIN)
    plugin.chmod(0o755)
    module, ssm = Module(params), Ssm()
    port_forward.start(module, ssm, str(plugin))
    recorded = port_forward.recorded(Path(params["record"]))
    assert recorded is not None
    yield module, ssm, recorded
    if port_forward.runs(Path(params["record"])):
        ssm.refusal = ""
        port_forward.stop(module, ssm, recorded)


def test_a_session_that_leads_there_is_kept(session: Session, params: dict[str, Any]) -> None:
    assert port_forward.leads_there(session[2], params)


@pytest.mark.parametrize("other", [{"instance_id": "i-2"}, {"port": 5432}, {"local_port": 1}])
def test_one_that_leads_elsewhere_is_not(
    other: dict[str, Any], session: Session, params: dict[str, Any]
) -> None:
    assert not port_forward.leads_there(session[2], {**params, **other})


def test_stopping_ends_process_and_session(session: Session, params: dict[str, Any]) -> None:
    module, ssm, recorded = session
    assert ssm.open == ["session-i-1"]
    port_forward.stop(module, ssm, recorded)
    assert ssm.open == []
    assert port_forward.recorded(Path(params["record"])) is None
    assert not port_forward.answers(params["local_port"])


@pytest.mark.parametrize(
    ("refusal", "said"),
    [("DoesNotExistException", ""), ("AccessDeniedException", "AccessDenied"), ("ExpiredToken", "Expired")],
)
def test_an_end_that_session_manager_does_not_take_is_no_failure(
    refusal: str, said: str, session: Session, params: dict[str, Any]
) -> None:
    """It has ended already; an assumed role may not end it; credentials have run out while it was open."""
    module, ssm, recorded = session
    ssm.refusal = refusal
    port_forward.stop(module, ssm, recorded)
    assert not port_forward.answers(params["local_port"])
    assert said in "".join(module.warnings) and bool(module.warnings) is bool(said)


SILENT = """#!/usr/bin/env python3
import signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)
signal.pause()
"""


@pytest.mark.parametrize(
    ("plugin", "problem"),
    [
        (SILENT.replace("SIG_IGN", "SIG_DFL"), TimeoutError),
        ("#!/bin/sh\necho no\n", FailedError),
        ("no program", OSError),
    ],
    ids=["no answer", "ended at once", "not started"],
)
def test_nothing_stays_of_a_session_whose_port_does_not_answer(
    plugin: str, problem: type[Exception], params: dict[str, Any], tmp_path: Path
) -> None:
    module, ssm = Module({**params, "timeout": 1}), Ssm()
    executable, record = tmp_path / "plugin", Path(params["record"])
    executable.write_text(plugin)
    executable.chmod(0o755)
    with pytest.raises(problem):
        port_forward.start(module, ssm, str(executable))
    assert not port_forward.runs(record) and not record.exists() and ssm.open == []


def test_a_session_whose_process_has_ended_is_none(session: Session, params: dict[str, Any]) -> None:
    """Whoever has its number now is left alone."""
    record = Path(params["record"])
    os.killpg(session[2]["pid"], signal.SIGKILL)
    wait_for(lambda: not port_forward.runs(record), "its end", 10, 0.01)
    assert record.exists() and port_forward.recorded(record) is None
    record.write_text(json.dumps({**session[2], "pid": os.getpid()}))
    assert port_forward.recorded(record) is None


@pytest.mark.parametrize(
    "file", ["modules/port_forward.py", "action/port_forward.py", "module_utils/sessions.py"]
)
def test_nothing_that_runs_on_the_operator_s_machine_needs_linux(file: str) -> None:
    """macOS has no /proc."""
    code = (Path(port_forward.__file__).parents[1] / file).read_text()
    assert "/proc/" not in code
