"""The module function_call: one call, whose connection a NAT does not forget while the function is silent."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from ansible_collections.clickstream.aws.plugins.modules import function_call
from tests.support import returns

KEEP_ALIVE_TIMER = "02"
"""proc(5) and the kernel's proc_net_tcp.rst: which timer of a socket runs, and for how many jiffies yet."""


class Functions(ThreadingHTTPServer):
    """A stand-in for Lambda's Invoke."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.calls: list[tuple[str, Any]] = []
        self.timers: list[str] = []
        self.headers: dict[str, str] = {}
        self.answer: Any = {"status": "complete"}
        self.silent = False


class Answer(BaseHTTPRequestHandler):
    server: Functions

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, json.loads(body)))
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        port = f":{self.client_address[1]:04X}"
        self.server.timers += [row[5] for row in rows if row[1].endswith(port)]
        if self.server.silent:
            self.rfile.read(1)  # until the other side gives up
            return
        content = json.dumps(self.server.answer).encode()
        self.send_response(200)
        for name, value in {"Content-Length": str(len(content)), **self.server.headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@pytest.fixture
def functions(monkeypatch: pytest.MonkeyPatch) -> Iterator[Functions]:
    with Functions() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{server.server_address[1]}")
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "nobody")
        yield server
        server.shutdown()


def call(*, check: bool = False, **arguments: Any) -> dict[str, Any]:
    given = {"name": "SBW_Lamda_ETL", "region": "ap-southeast-1", **arguments, "_ansible_check_mode": check}
    with patch_module_args(given), redirect_stdout(io.StringIO()) as out, suppress(SystemExit):
        function_call.main()
    result = dict(json.loads(out.getvalue().splitlines()[-1]))
    if not result.get("failed"):
        assert returns.faults(function_call.RETURN, result) == []
    return result


def test_the_answer_is_given(functions: Functions) -> None:
    result = call(payload={"reprocess": True})
    assert "output" in result, result
    assert result["output"] == {"status": "complete"}
    path = "/2015-03-31/functions/SBW_Lamda_ETL/invocations"
    assert functions.calls == [(path, {"reprocess": True})]


def test_a_silent_connection_is_kept_alive_every_minute(functions: Functions) -> None:
    call()
    [timer] = functions.timers
    kind, left = timer.split(":")
    assert kind == KEEP_ALIVE_TIMER, "no keep-alive"
    assert 0 < int(left, 16) <= 60 * 100


def test_a_call_without_an_answer_is_not_repeated(functions: Functions) -> None:
    functions.silent = True
    result = call(timeout=1)
    assert result["failed"] and "imeout" in result["msg"]
    assert len(functions.calls) == 1


def test_a_function_s_failure_is_one(functions: Functions) -> None:
    functions.headers = {"X-Amz-Function-Error": "Unhandled"}
    functions.answer = {"errorType": "OperationalError", "errorMessage": "no server"}
    result = call()
    assert (
        result["failed"] and "OperationalError: no server" in result["msg"] and "Fix: read" in result["msg"]
    )


def test_check_mode_calls_nothing(functions: Functions) -> None:
    assert call(check=True)["changed"] is True
    assert functions.calls == []
