"""Daemons and their records: only processes that were started here are stopped."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pytest

from local_cloud.errors import CloudError
from local_cloud.processes import read_record, record_of, run, spawn, stop, wait_for_port


def test_a_daemon_leads_its_session_and_is_stopped_with_its_children(tmp_path: Path) -> None:
    log = tmp_path / "log"
    pid = spawn(
        ["/bin/sh", "-c", "sleep 100 & echo $!; wait"], env={"PATH": "/bin:/usr/bin"}, log=log, cwd=tmp_path
    )
    record = record_of(pid, "made of this")
    record.save(tmp_path / "run/one.json")
    assert os.getsid(pid) == pid
    while not log.read_text().strip():
        time.sleep(0.01)
    child = int(log.read_text())
    again = read_record(tmp_path / "run/one.json")
    assert again == record
    assert again is not None
    assert again.alive
    assert stop(again)
    assert not again.alive
    assert not stop(again)
    with pytest.raises(ProcessLookupError):
        for _ in range(100):
            os.kill(child, 0)
            time.sleep(0.02)


def test_a_process_that_ignores_the_request_is_killed(tmp_path: Path) -> None:
    pid = spawn(
        ["/bin/sh", "-c", "trap '' TERM; sleep 100; sleep 100"], env={}, log=tmp_path / "log", cwd=tmp_path
    )
    record = record_of(pid)
    time.sleep(0.2)
    assert stop(record, patience=0.3)
    assert not record.alive


def test_a_reused_process_id_is_not_ours() -> None:
    mine = record_of(os.getpid())
    assert mine.alive
    for other in (replace(mine, started=mine.started - 1), replace(mine, boot="another")):
        assert not other.alive
        assert not stop(other)
    os.kill(os.getpid(), signal.SIG_DFL)


def test_a_daemon_that_ends_at_once_is_reported_with_its_last_log_line(tmp_path: Path) -> None:
    log = tmp_path / "moto.log"
    pid = spawn(["/bin/sh", "-c", "echo no such module; exit 1"], env={}, log=log, cwd=tmp_path)
    with pytest.raises(CloudError, match=r"moto did not come up.*no such module"):
        wait_for_port("127.0.0.1", 9, record_of(pid), log, seconds=5)


def test_a_damaged_record_is_none(tmp_path: Path) -> None:
    assert read_record(tmp_path / "missing") is None
    (tmp_path / "half").write_text('{"pid": 1')
    assert read_record(tmp_path / "half") is None


def test_a_failed_program_is_one_line_with_the_fix() -> None:
    with pytest.raises(CloudError) as caught:
        run(["/bin/sh", "-c", "echo first >&2; echo last >&2; exit 3"], fix="do this")
    assert str(caught.value) == "/bin/sh failed (last). Fix: do this."
