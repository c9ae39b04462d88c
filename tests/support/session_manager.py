"""A stand-in for Session Manager's API, for tests that need no machine behind a session."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class SessionManager(ThreadingHTTPServer):
    """Its API, as far as sessions go: which were started with what, and which are open."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answer)
        self.open: set[str] = set()
        self.not_yet = 0
        self.started: list[dict[str, object]] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


class Answer(BaseHTTPRequestHandler):
    server: SessionManager

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 200
        answer: dict[str, object]
        match self.headers["X-Amz-Target"].rpartition(".")[2]:
            case "StartSession" if self.server.not_yet:
                self.server.not_yet -= 1
                status, answer = 400, {"__type": "TargetNotConnected", "message": "i-1 is not connected."}
            case "StartSession":
                session = f"session-{len(self.server.open)}"
                self.server.open.add(session)
                self.server.started.append(body)
                answer = {"SessionId": session, "TokenValue": "t", "StreamUrl": "ws://x"}
            case "TerminateSession":
                self.server.open.remove(body["SessionId"])
                answer = {"SessionId": body["SessionId"]}
            case _:
                answer = {"InstanceInformationList": [{"PingStatus": "Online", "AgentVersion": "3.3.987.0"}]}
        content = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""


@contextmanager
def session_manager() -> Iterator[SessionManager]:
    """One that answers on 127.0.0.1."""
    with SessionManager() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()
