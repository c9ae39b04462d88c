"""Computers that the local cloud refuses, and the message with the fix."""

from __future__ import annotations

import json
import os
import platform
import shutil
import socket
import subprocess
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from local_cloud import cgroups, preflight
from local_cloud.errors import CloudError
from local_cloud.settings import Settings

OPTIONS = "rw 0 0\n"


def test_only_root_can_boot_machines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(CloudError, match=r"needs root.*inventories/aws"):
        preflight.missing(Settings())


def test_another_architecture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    with pytest.raises(CloudError, match="riscv64"):
        preflight._system()


@pytest.mark.parametrize(
    ("release", "fine"),
    [
        ('ID=debian\nVERSION_ID="12"\n', True),
        ('ID=ubuntu\nVERSION_ID="24.04"\n', True),
        ('ID=debian\nPRETTY_NAME="Debian sid"\n', True),
        ('ID=debian\nVERSION_ID="11"\n', False),
        ('ID=fedora\nVERSION_ID=43\nPRETTY_NAME="Fedora 43"\n', False),
    ],
)
def test_only_known_systems(monkeypatch: pytest.MonkeyPatch, release: str, fine: bool) -> None:
    monkeypatch.setattr(Path, "read_text", lambda self: release)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    if fine:
        preflight._system()
    else:
        with pytest.raises(CloudError, match=r"Debian 12 or Ubuntu 24\.04"):
            preflight._system()


def test_a_full_disk_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda place: SimpleNamespace(free=1_000_000_000))
    with pytest.raises(CloudError, match=r"only 1\.0 GB are free"):
        preflight._disk(Settings())


def test_a_port_in_use_names_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert preflight.in_use("127.0.0.1", port)
        if port < 65000:
            settings = Settings(name="unit", endpoint_port=port, machines=False)
            with pytest.raises(CloudError, match=rf"port {port} .*local_cloud_endpoint_port"):
                preflight._ports(settings)
    assert not preflight.in_use("127.0.0.1", port)


@pytest.mark.parametrize("used", ["10.0.0.0/8", "10.0.128.0/20", "10.0.0.1"])
def test_a_range_in_use_names_its_variable(monkeypatch: pytest.MonkeyPatch, used: str) -> None:
    settings = Settings()
    routes = [{"dst": "default", "dev": "eth0"}, {"dst": "10.0.0.0/16", "dev": settings.bridge}]

    def answer(extra: list[dict[str, str]]) -> None:
        done = SimpleNamespace(returncode=0, stdout=json.dumps(routes + extra))
        monkeypatch.setattr(subprocess, "run", lambda *_, **__: done)

    answer([{"dst": "192.168.1.0/24", "dev": "eth0"}])
    preflight._range(settings)
    answer([{"dst": used, "dev": "docker0"}])
    with pytest.raises(CloudError, match=r"docker0.*platform_vpc_cidr"):
        preflight._range(settings)


@pytest.mark.parametrize(
    ("mounts", "where"),
    [
        (f"cgroup2 /sys/fs/cgroup cgroup2 {OPTIONS}", "/sys/fs/cgroup"),
        (
            f"c /sys/fs/cgroup/cpu cgroup {OPTIONS}c /sys/fs/cgroup/unified cgroup2 {OPTIONS}",
            "/sys/fs/cgroup/unified",
        ),
        (f"c /sys/fs/cgroup/cpu cgroup {OPTIONS}", None),
    ],
)
def test_the_cgroup_hierarchy_is_found(mounts: str, where: str | None) -> None:
    assert cgroups.hierarchy(mounts) == (Path(where) if where else None)


def test_the_judge_of_iam_is_installed_from_its_lock_which_names_no_registry(tmp_path: Path) -> None:
    settings = Settings(iam_simulate=str(tmp_path))
    [missing] = preflight._modules(settings)
    lock = Path(missing["source"], "package-lock.json").read_text()
    assert "://" not in lock and '"integrity"' in lock
    Path(missing["marker"]).write_text(missing["recipe"] + "\n")
    assert preflight._modules(settings) == []


def test_iam_is_not_enforced_without_its_judge(tmp_path: Path) -> None:
    settings = Settings(
        machines=False, iam_simulate=str(tmp_path), deployer_policies="docs/deployer", moto_python="/bin/sh"
    )
    with pytest.raises(CloudError, match=r"judge of IAM is missing.*local_cloud\.yml"):
        preflight.check(replace(settings, ministack_python="/bin/sh"))
