"""What happens to a service, decided from what systemd and the files' times say."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ansible_collections.clickstream.aws.plugins.modules.host_service import actions_for, moment, properties

STARTED = datetime(2026, 11, 28, 20, 3, 33, 500000, tzinfo=UTC).timestamp()
RUNNING = {
    "ActiveState": "active",
    "UnitFileState": "enabled",
    "ExecMainStartTimestamp": "Sat 2026-11-28 20:03:33.500000 UTC",
    "NeedDaemonReload": "no",
}


def file_of(path: Path, at: float) -> str:
    path.touch()
    os.utime(path, (at, at))
    return str(path)


def test_what_systemd_says_is_read() -> None:
    assert properties("ActiveState=active\nExecStart={ path=/bin/a ; argv[]=a=b }\n") == {
        "ActiveState": "active",
        "ExecStart": "{ path=/bin/a ; argv[]=a=b }",
    }
    assert moment(RUNNING["ExecMainStartTimestamp"]) == STARTED
    assert moment("") == 0
    assert moment("n/a") == 0


def test_a_service_that_runs_with_its_files_is_left_alone(tmp_path: Path) -> None:
    files = [file_of(tmp_path / "conf", STARTED - 0.1), str(tmp_path / "not there")]
    assert actions_for(RUNNING, files, restart=False) == []


def test_a_file_that_is_newer_than_the_process_restarts_it_even_if_nobody_says_so(tmp_path: Path) -> None:
    files = [file_of(tmp_path / "old", STARTED - 5), file_of(tmp_path / "conf", STARTED + 0.1)]
    assert actions_for(RUNNING, files, restart=False) == ["restart"]


def test_a_unit_that_systemd_has_not_read_restarts_it(tmp_path: Path) -> None:
    files = [file_of(tmp_path / "unit", STARTED - 5)]
    assert actions_for(RUNNING | {"NeedDaemonReload": "yes"}, files, restart=False) == ["restart"]


def test_files_that_check_mode_did_not_write_restart_it() -> None:
    assert actions_for(RUNNING, [], restart=True) == ["restart"]


@pytest.mark.parametrize("state", ["inactive", "failed", "activating"])
def test_a_service_that_is_not_up_is_started_and_not_restarted_as_well(state: str) -> None:
    stopped = RUNNING | {"ActiveState": state, "ExecMainStartTimestamp": ""}
    assert actions_for(stopped, [], restart=True) == ["start"]


def test_a_service_that_would_not_come_up_at_boot_is_enabled() -> None:
    assert actions_for(RUNNING | {"UnitFileState": "disabled"}, [], restart=False) == ["enable"]
