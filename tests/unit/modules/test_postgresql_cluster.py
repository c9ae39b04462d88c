"""The module postgresql_cluster: its decisions, from what the host answers."""

import os
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.modules import postgresql_cluster as cluster_module
from ansible_collections.clickstream.aws.plugins.modules.postgresql_cluster import (
    Cluster,
    ensure_present,
    ensure_started,
    find_cluster,
    newest_change,
    port_conflict,
)

OLD = {"version": "17", "cluster": "main", "port": 5432}
OURS = {"version": "18", "cluster": "main", "port": 5432}


class Failed(Exception):
    """fail_json was called."""


class Module:
    """Stands for AnsibleModule."""

    def __init__(self, check_mode: bool = False) -> None:
        self.params: dict[str, Any] = {"version": 18, "name": "main", "port": 5432, "config_files": []}
        self.check_mode = check_mode

    def fail_json(self, msg: str) -> None:
        raise Failed(msg)


class Host(Cluster):
    """A cluster on a host that answers as told, and remembers what was done to it."""

    def __init__(self, check_mode: bool = False, **answers: Any) -> None:
        super().__init__(Module(check_mode))  # type: ignore[arg-type]
        self.answers = {
            "all": [OURS],
            "running": True,
            "enabled": True,
            "unit_stale": False,
            "stale": False,
            "waiting": "",
            "outlived": False,
            **answers,
        }
        self.done: list[str] = []

    def all(self) -> list[dict[str, Any]]:
        return list(self.answers["all"])

    def running(self) -> bool:
        return bool(self.answers["running"])

    def enabled(self) -> bool:
        return bool(self.answers["enabled"])

    def unit_stale(self) -> bool:
        return bool(self.answers["unit_stale"])

    def stale(self) -> bool:
        return bool(self.answers["stale"])

    def outlived(self) -> bool:
        return bool(self.answers["outlived"])

    def settings_waiting(self) -> str:
        return str(self.answers["waiting"])

    def run(self, *argv: str) -> str:
        self.done.append(argv[0] if argv[0] != "systemctl" else argv[1])
        return ""

    def start(self, verb: str) -> None:
        self.done.append(verb)

    def reload(self) -> None:
        self.done.append("reload")


def test_a_cluster_is_found_by_version_and_name() -> None:
    assert find_cluster([OLD, OURS], 18, "main") == OURS
    assert find_cluster([OLD], 18, "main") is None


def test_another_cluster_on_the_port_is_refused_with_both_ways_out() -> None:
    message = port_conflict([OLD, {**OURS, "port": 5433}], 18, "main", 5432)
    assert message is not None
    assert "17/main on this host holds port 5432" in message
    assert "set postgresql_version to 17" in message
    assert "pg_dropcluster --stop 17 main" in message


def test_another_cluster_elsewhere_is_none_of_our_business() -> None:
    assert port_conflict([{**OLD, "port": 5433}, OURS], 18, "main", 5432) is None


def test_a_refusal_comes_before_anything_is_made() -> None:
    host = Host(all=[OLD])
    with pytest.raises(Failed, match="holds port 5432"):
        ensure_present(host, 5432)
    assert host.done == []


@pytest.mark.parametrize(("check_mode", "done"), [(False, ["pg_createcluster"]), (True, [])])
def test_a_missing_cluster_is_made(check_mode: bool, done: list[str]) -> None:
    host = Host(check_mode, all=[])
    assert ensure_present(host, 5432) == ["create"]
    assert host.done == done


@pytest.mark.parametrize(
    ("answers", "actions"),
    [
        ({}, []),
        ({"running": False}, ["start"]),
        ({"stale": True}, ["reload"]),
        ({"stale": True, "waiting": "max_connections"}, ["reload", "restart"]),
        ({"waiting": "max_connections"}, ["restart"]),  # an earlier run was interrupted
        ({"enabled": False}, ["enable"]),
        ({"unit_stale": True}, ["daemon-reload"]),
        ({"unit_stale": True, "outlived": True}, ["daemon-reload", "restart"]),
        ({"outlived": True}, ["restart"]),
    ],
)
def test_only_what_is_needed_is_done(answers: dict[str, Any], actions: list[str]) -> None:
    host = Host(**answers)
    assert ensure_started(host) == actions
    assert host.done == ["restart" if action == "start" else action for action in actions]
    dry = Host(check_mode=True, **answers)
    assert ensure_started(dry) == actions
    assert dry.done == []


def test_the_newest_file_counts_and_missing_ones_do_not(tmp_path: Path) -> None:
    for name, when in (("a", 1000), ("b", 2000)):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (when, when))
    assert newest_change([str(tmp_path / name) for name in ("a", "b", "c")]) == 2000
    assert newest_change([]) == 0


def test_waiting_ends_with_the_place_to_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster_module.time, "sleep", lambda seconds: None)
    with pytest.raises(Failed, match=r"does not answer.*postgresql-18-main\.log"):
        Host().wait(lambda: False, 0.0, "does not answer")
