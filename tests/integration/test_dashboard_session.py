"""Role dashboard_session holds the dashboard's port open: with a stand-in for Session Manager."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support.session_manager import SessionManager, session_manager

PROJECT = Path(__file__).parents[2]
PLUGIN = f"""#!{sys.executable}
import json, socket, sys
port = int(json.loads(sys.argv[5])["Parameters"]["localPortNumber"][0])
listener = socket.create_server(("127.0.0.1", port))
while True:
    listener.accept()[0].close()
"""
PLAYBOOK = """
- hosts: localhost
  gather_facts: false
  roles: [dashboard_session]
"""


@pytest.fixture
def manager() -> Iterator[SessionManager]:
    with session_manager() as server:
        yield server


class Session:
    """A run of the role dashboard_session, and the port that it opens."""

    def __init__(self, manager: SessionManager, directory: Path) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        plugin, playbook = directory / "plugin", directory / "playbook.yml"
        plugin.write_text(PLUGIN)
        plugin.chmod(0o755)
        playbook.write_text(PLAYBOOK)
        self.output = directory / "output"
        variables = {
            "ansible_aws_ssm_instance_id": "i-1",
            "ansible_python_interpreter": sys.executable,
            "dashboard_session_local_port": self.port,
            "platform_session_manager_plugin": str(plugin),
            "dashboard_session_record": str(directory / "record.json"),
        }
        ansible = str(PROJECT / ".venv/bin/ansible-playbook")
        self.command = [
            ansible,
            "-i",
            "localhost,",
            "-c",
            "local",
            str(playbook),
            "-e",
            json.dumps(variables),
        ]
        aws = {"AWS_ENDPOINT_URL": manager.url}
        keys = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
        colours = {"ANSIBLE_FORCE_COLOR": "0", "ANSIBLE_NOCOLOR": "1"}
        self.environment = {**os.environ, **aws, **keys, **colours}

    @contextmanager
    def running(self, stdin: int = subprocess.DEVNULL) -> Iterator[subprocess.Popen[bytes]]:
        """A run in the foreground of a session of its own."""
        with self.output.open("wb") as output:
            run = subprocess.Popen(
                self.command,
                cwd=PROJECT,
                env=self.environment,
                stdin=stdin,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield run
        finally:
            run.kill()
            run.wait(10)

    def run(self, mode: str) -> None:
        """A run that ends by itself."""
        more = ["-e", f"dashboard_session_mode={mode}"]
        done = subprocess.run(
            [*self.command, *more], cwd=PROJECT, env=self.environment, capture_output=True, timeout=120
        )
        assert done.returncode == 0, done.stdout.decode()

    def is_open(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def says(self, text: str) -> bool:
        return bool(re.search(text, self.output.read_text()))


@pytest.fixture
def session(manager: SessionManager, tmp_path: Path) -> Iterator[Session]:
    one = Session(manager, tmp_path)
    yield one
    if one.is_open():
        one.run("stopped")


def wait_until(condition: Callable[[], bool], session: Session) -> None:
    limit = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < limit, session.output.read_text()
        time.sleep(0.1)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_without_a_terminal_the_port_is_open_until_the_run_is_interrupted(
    number: signal.Signals, session: Session, manager: SessionManager
) -> None:
    with session.running() as run:
        wait_until(
            lambda: session.says(f"localhost:{session.port}/sbw_dashboard is open until this run is"), session
        )
        with pytest.raises(subprocess.TimeoutExpired):
            run.wait(5)
        assert session.is_open()
        run.send_signal(number)
        run.wait(60)
        wait_until(lambda: not session.is_open() and not manager.open, session)


def test_with_a_terminal_enter_closes_it(session: Session, manager: SessionManager) -> None:
    terminal, inner = pty.openpty()
    # the run reads from what controls it, as in a shell
    session.command = ["setsid", "--ctty", "--wait", *session.command]
    try:
        with session.running(stdin=inner) as run:
            wait_until(lambda: session.says("is open until you press Enter"), session)
            assert session.is_open()
            assert run.poll() is None
            os.write(terminal, b"\n")
            assert run.wait(60) == 0, session.output.read_text()
            assert not session.is_open() and not manager.open
    finally:
        os.close(terminal)
        os.close(inner)


def test_a_port_that_is_left_open_stays_until_it_is_stopped(
    session: Session, manager: SessionManager
) -> None:
    session.run("started")
    assert session.is_open()
    session.run("started")
    assert len(manager.open) == 1
    session.run("stopped")
    assert not session.is_open() and not manager.open
