"""Machines: systemd-nspawn containers that stand in for EC2 instances.

A machine is a directory: ``machine.json`` (what it is), ``run.json`` (its process, while it
runs) and ``root`` (its disk, which a reboot keeps).
"""

from __future__ import annotations

import contextlib
import fcntl
import ipaddress
import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from local_cloud import cgroups, images, network
from local_cloud.errors import CloudError
from local_cloud.processes import Record, gone, last_line, record_of, spawn
from local_cloud.settings import Settings

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
_BOOT_SECONDS = 60
_POWER_OFF = signal.SIGRTMIN + 4
"""The signal that tells systemd to power off."""


@dataclass(frozen=True)
class Machine:
    """What a machine is.

    ``egress`` lets it use the apt proxy whatever EC2 says; only machines that are no EC2
    instance have it. ``instance`` says whether EC2 knows it.
    """

    name: str
    address: str
    prefix: int
    hostname: str
    egress: bool = False
    instance: bool = False

    @property
    def subnet(self) -> ipaddress.IPv4Network:
        """The subnet the machine is in."""
        return ipaddress.IPv4Network(f"{self.address}/{self.prefix}", strict=False)


@dataclass(frozen=True)
class Run:
    """A running machine: nspawn's process, the machine's own first process, its cgroup."""

    supervisor: Record
    leader: Record
    ready: bool
    group: str

    @property
    def alive(self) -> bool:
        """Whether the machine is there."""
        return self.leader.alive


def directory(settings: Settings, name: str) -> Path:
    """Return a machine's directory."""
    return settings.machine_dir / name


def find(settings: Settings, name: str) -> Machine | None:
    """Return a machine; ``None`` if there is none of this name."""
    try:
        return Machine(**json.loads((directory(settings, name) / "machine.json").read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def every(settings: Settings) -> list[Machine]:
    """Return all machines of a cloud, by name."""
    names = sorted(entry.name for entry in settings.machine_dir.glob("*") if entry.is_dir())
    return [machine for name in names if (machine := find(settings, name))]


def running(place: Path) -> Run | None:
    """Return how the machine of a directory runs; ``None`` if it does not."""
    try:
        data = json.loads((place / "run.json").read_text())
        run = Run(
            Record(**data["supervisor"]), Record(**data["leader"]), bool(data["ready"]), str(data["group"])
        )
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return run if run.alive else None


def up(settings: Settings, name: str) -> bool:
    """Whether a machine has booted to the end."""
    run = running(directory(settings, name))
    return run is not None and run.ready


def check_new(settings: Settings, machine: Machine) -> None:
    """Raise :class:`CloudError` for a name, address or subnet that cannot be used."""
    if not _NAME.fullmatch(machine.name):
        raise CloudError(
            f"'{machine.name}' is no name for a machine",
            "use lower-case letters, digits and '-' (at most 41)",
        )
    try:
        inside = ipaddress.IPv4Address(machine.address) in settings.network
    except ValueError as error:
        raise CloudError(f"'{machine.address}' is no address ({error})", "give an IPv4 address") from error
    if not inside:
        raise CloudError(
            f"{machine.address} is outside of the cloud's range {settings.vpc_cidr}",
            "choose an address inside, or start the cloud with another --vpc-cidr",
        )
    if not settings.network.prefixlen <= machine.prefix <= 28:
        raise CloudError(
            f"a subnet of /{machine.prefix} does not fit into {settings.vpc_cidr}",
            f"choose a prefix from {settings.network.prefixlen} to 28",
        )
    if machine.address == settings.gateway:
        raise CloudError(f"{machine.address} is this computer's own address", "choose a later address")
    for other in every(settings):
        if other.address == machine.address and other.name != machine.name:
            raise CloudError(
                f"{machine.address} belongs to the machine {other.name}",
                f"choose another address or remove {other.name}",
            )


@contextlib.contextmanager
def _alone(settings: Settings, name: str) -> Iterator[None]:
    """Lock a machine: one command at a time."""
    settings.machine_dir.mkdir(parents=True, exist_ok=True)
    with (settings.machine_dir / f".{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def start(settings: Settings, machine: Machine) -> bool:
    """Make a machine if it is new, boot it, wait until it is up; return False if it was up already."""
    check_new(settings, machine)
    with _alone(settings, machine.name):
        place = directory(settings, machine.name)
        if find(settings, machine.name) == machine and up(settings, machine.name):
            return False
        _end(settings, machine.name, graceful=True)
        root = place / "root"
        if not root.exists():
            images.copy(images.path(settings), root)
        _configure(settings, machine, root)
        (place / "machine.json").write_text(json.dumps(asdict(machine)) + "\n")
        network.join_subnet(settings, machine.subnet)
        _boot(settings, machine, place)
        return True


def _configure(settings: Settings, machine: Machine, root: Path) -> None:
    """Write a machine's network, proxy, host name and machine id into its root."""
    images.write(
        root,
        "etc/systemd/network/10-host0.network",
        "# address from EC2; the VPC is on the link; there is no default route\n"
        "[Match]\nName=host0\n\n"
        "[Network]\nLinkLocalAddressing=no\nIPv6AcceptRA=no\nLLDP=no\n"
        f"Address={machine.address}/{machine.prefix}\n\n"
        f"[Route]\nDestination={settings.vpc_cidr}\nScope=link\n",
    )
    images.write(
        root,
        "etc/apt/apt.conf.d/90local-cloud-proxy",
        f'Acquire::http::Proxy "http://{settings.gateway}:{settings.proxy_port}";\n',
    )
    images.write(root, "etc/hostname", f"{machine.hostname}\n")
    images.write(root, "etc/hosts", f"127.0.0.1 localhost\n{machine.address} {machine.hostname}\n")
    if not (root / "etc/machine-id").exists():
        images.write(root, "etc/machine-id", f"{secrets.token_hex(16)}\n")


def _boot(settings: Settings, machine: Machine, place: Path) -> None:
    log = settings.logs / "machines" / f"{machine.name}.log"
    nspawn = [
        "systemd-nspawn",
        "--quiet",
        f"--directory={place / 'root'}",
        f"--machine={_nspawn_name(settings, machine.name)}",
        f"--hostname={machine.hostname}",
        "--boot",
        "--register=no",
        "--keep-unit",
        "--settings=no",
        f"--network-bridge={settings.bridge}",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
    ]
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "LANG": "C.UTF-8",
        "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
    }
    group = cgroups.make(settings, machine.name)
    supervisor = record_of(spawn(nspawn, env=env, log=log, cwd=place, group=group))
    until = time.monotonic() + _BOOT_SECONDS
    leader: Record | None = None
    while not (leader and _booted(leader.pid)):
        if time.monotonic() > until or not supervisor.alive:
            message = last_line(log)
            cgroups.remove(group)
            raise CloudError(f"machine {machine.name} did not boot ({message})", f"read {log}")
        time.sleep(0.05)
        leader = leader if leader and leader.alive else _leader(supervisor.pid)
        if leader:
            _save(place, Run(supervisor, leader, ready=False, group=str(group)))
    _save(place, Run(supervisor, leader, ready=True, group=str(group)))


def _nspawn_name(settings: Settings, name: str) -> str:
    """Return a machine's name for nspawn: unique on this computer, which its own name is not."""
    return f"{name}-{settings.bridge.rpartition('-')[2]}"


def _save(place: Path, run: Run) -> None:
    file = place / "run.json"
    partial = file.with_suffix(".partial")
    partial.write_text(json.dumps(asdict(run)) + "\n")
    partial.rename(file)


def _leader(supervisor: int) -> Record | None:
    """Return the machine's first process: the child of nspawn that is number 1 inside."""
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{supervisor}/task/{supervisor}/children").read_text().split():
            for line in Path(f"/proc/{child}/status").read_text().splitlines():
                if line.startswith("NSpid:") and line.split()[-1] == "1":
                    return record_of(int(child))
    return None


def _booted(leader: int) -> bool:
    """Whether systemd inside has finished booting."""
    command = ["nsenter", "--target", str(leader), "--all", "systemctl", "is-system-running"]
    state = subprocess.run(command, capture_output=True, text=True, check=False)
    return state.stdout.strip() in {"running", "degraded"}


def stop(settings: Settings, name: str) -> bool:
    """Shut a machine down and keep its disk; return whether it ran."""
    with _alone(settings, name):
        return _end(settings, name, graceful=True)


def remove(settings: Settings, name: str) -> bool:
    """Remove a machine with its disk; return whether it was there."""
    with _alone(settings, name):
        _end(settings, name, graceful=False)
        place = directory(settings, name)
        there = place.exists()
        images.remove_tree(place / "root")
        images.remove_tree(place / "root.partial")
        shutil.rmtree(place, ignore_errors=True)
    (settings.machine_dir / f".{name}.lock").unlink(missing_ok=True)
    return there


def _end(settings: Settings, name: str, *, graceful: bool) -> bool:
    """End a machine's processes; a disk that is thrown away needs no shutdown."""
    place = directory(settings, name)
    run = running(place)
    if run and graceful:
        # not up from now on, although it can be entered until its processes have ended
        _save(place, replace(run, ready=False))
        os.kill(run.leader.pid, _POWER_OFF)
        gone(run.leader, 30)
    if run and run.supervisor.alive:
        # nspawn ends by itself once its machine is down, and removes its own files
        if run.leader.alive:
            os.kill(run.leader.pid, signal.SIGKILL)
        gone(run.supervisor, 5)
    cgroups.remove(cgroups.parent(settings) / name)
    (place / "run.json").unlink(missing_ok=True)
    _tidy(_nspawn_name(settings, name), place / "root")
    return run is not None


def _tidy(name: str, root: Path) -> None:
    """Remove what nspawn keeps for a machine under /run."""
    nspawn = Path("/run/systemd/nspawn")
    for place in (nspawn / "propagate" / name, nspawn / "unix-export" / name):
        shutil.rmtree(place, ignore_errors=True)
    if root.exists():
        disk = root.stat()
        (nspawn / f"locks/inode-{disk.st_dev}:{disk.st_ino}").unlink(missing_ok=True)
