"""The stand-in for session-manager-plugin: what it reads, and that it starts quickly."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from local_cloud import entering
from local_cloud.session_plugin import parse_stream

PROJECT = Path(__file__).resolve().parents[3]
PLUGIN = PROJECT / "local_cloud/bin/session-manager-plugin"
SLOW = {"asyncio", "pathlib", "typing_extensions", "urllib", "http", "socket", "subprocess", "dataclass"}


def test_the_stream_url_has_the_machine_and_the_details() -> None:
    place, details = parse_stream("local-cloud:///a/machines/i-1?type=Standard_Stream&command=echo+a%26b")
    assert place == "/a/machines/i-1"
    assert details == {"type": "Standard_Stream", "command": "echo a&b"}
    with pytest.raises(ValueError, match="wss"):
        parse_stream("wss://ssmmessages.ap-southeast-1.amazonaws.com/v1/data-channel/x")


def test_it_imports_nothing_slow() -> None:
    code = "import sys; import local_cloud.session_plugin; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-IS", "-c", f"import sys; sys.path.insert(0, {str(PROJECT)!r}); {code}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    assert not SLOW & set(loaded)


@pytest.mark.parametrize(
    "arguments", [["{}"], ["no json", "r", "StartSession", "", "{}", "http://x"], ["[]"]]
)
def test_a_foreign_session_is_refused_in_one_line(arguments: list[str]) -> None:
    done = subprocess.run([str(PLUGIN), *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 255
    assert done.stderr == "session-manager-plugin: this session is not one of the local cloud\n"


def test_a_session_whose_channel_iam_denies_ends_with_the_reason() -> None:
    stream = "local-cloud:///nowhere?denied=not+authorized%3A+ssmmessages%3AOpenDataChannel"
    response = json.dumps({"SessionId": "s", "TokenValue": "t", "StreamUrl": stream})
    command = [str(PLUGIN), response, "ap-southeast-1", "StartSession", "", "{}", "http://127.0.0.1:1"]
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 255
    assert done.stderr.endswith("cannot open the data channel: not authorized: ssmmessages:OpenDataChannel\n")


def test_it_prints_its_version() -> None:
    done = subprocess.run([str(PLUGIN), "--version"], capture_output=True, text=True)
    assert done.returncode == 0
    assert done.stdout.count(".") == 3


def test_a_recorded_process_id_that_another_process_has_is_no_machine(tmp_path: Path) -> None:
    with pytest.raises(entering.NotRunningError):
        entering.leader(str(tmp_path))
    # process 1 is there, but it is not the one that was recorded
    (tmp_path / "run.json").write_text('{"leader": {"pid": 1, "started": -5}, "group": "/x"}')
    with pytest.raises(entering.NotRunningError):
        entering.leader(str(tmp_path))


def test_a_machine_that_has_just_ended_cannot_be_entered(tmp_path: Path) -> None:
    with subprocess.Popen(["true"]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        # a zombie: /proc still has its start time, but its namespaces cannot be opened
        started = int(Path(f"/proc/{ended.pid}/stat").read_text().rpartition(")")[2].split()[19])
        leader = {"pid": ended.pid, "started": started}
        (tmp_path / "run.json").write_text(json.dumps({"leader": leader, "group": "/x"}))
        assert entering.leader(str(tmp_path)) == (ended.pid, "/x")
        with pytest.raises(entering.NotRunningError, match="cannot be entered"):
            entering.enter(str(tmp_path))


def test_a_machines_program_takes_signals_as_if_the_machine_had_started_it() -> None:
    code = """import signal
from local_cloud import entering
signal.signal(signal.SIGHUP, signal.SIG_IGN)  # nohup
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
entering.restore_signals()
print([one for one in signal.valid_signals() if signal.getsignal(one) == signal.SIG_IGN])
print(signal.pthread_sigmask(signal.SIG_BLOCK, ()))"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=PROJECT, capture_output=True, text=True, check=True
    )
    assert done.stdout == "[]\nset()\n"
