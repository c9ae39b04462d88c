"""Checks of this computer before a cloud starts: the first that fails is the error."""

from __future__ import annotations

import os
import platform
import shutil
import socket
from pathlib import Path

from local_cloud import amis, cacher, images, network, packages
from local_cloud.errors import CloudError
from local_cloud.processes import read_record, recipe
from local_cloud.settings import PROJECT, Settings

_DISK_GB = 4
_PROGRAMS = {
    "ip": "iproute2",
    "mmdebstrap": "mmdebstrap",
    "nsenter": "util-linux",
    "systemd-nspawn": "systemd-container",
    "apt-cacher-ng": "apt-cacher-ng",
    "node": "nodejs",
    "npm": "npm",
}
MODULES = PROJECT / "local_cloud/iam_simulate"
"""What npm is told to install for the judge of IAM."""

_SYSTEMS = {"debian": 12.0, "ubuntu": 24.04}
_PLAYBOOK = "run 'ansible-playbook playbooks/local_cloud.yml', which installs it"


def check_rights(settings: Settings) -> None:
    """Raise :class:`CloudError` on a computer that the cloud does not support."""
    if settings.machines:
        _root()
        _system()


def check(settings: Settings) -> None:
    """Raise :class:`CloudError` for the first thing that would keep the cloud from working."""
    if settings.machines:
        for package in _packages():
            raise CloudError(f"the package {package} is missing", _PLAYBOOK)
        _range(settings)
    for python in (settings.moto_python, settings.ministack_python):
        if not os.access(python, os.X_OK):
            raise CloudError(f"the virtual environment with {python} is missing", _PLAYBOOK)
    if settings.deployer_policies and not (modules_marker(settings)).exists():
        raise CloudError(f"the judge of IAM is missing in {settings.iam_simulate}", _PLAYBOOK)
    _disk(settings)
    _ports(settings)


def modules_marker(settings: Settings) -> Path:
    """Return the file that says from which lock the judge of IAM was installed."""
    return Path(settings.iam_simulate) / "made-from"


def _modules(settings: Settings) -> list[dict[str, str]]:
    lock = MODULES / "package-lock.json"
    marker = modules_marker(settings)
    wanted = recipe(lock.read_text())
    if marker.exists() and marker.read_text().strip() == wanted:
        return []
    return [
        {
            "kind": "modules",
            "name": "iam-simulate",
            "path": settings.iam_simulate,
            "source": str(MODULES),
            "marker": str(marker),
            "recipe": wanted,
        }
    ]


def _root() -> None:
    if os.geteuid() != 0:
        raise CloudError(
            "the local cloud boots machines and needs root",
            "run it as root, or deploy with -i inventories/aws",
        )


def _system() -> None:
    release = {}
    for line in Path("/etc/os-release").read_text().splitlines():
        key, _, value = line.partition("=")
        release[key] = value.strip('"')
    oldest = _SYSTEMS.get(release.get("ID", ""))
    if oldest is None or float(release.get("VERSION_ID") or oldest) < oldest:
        raise CloudError(
            f"the local cloud does not support {release.get('PRETTY_NAME', 'this system')}",
            "use Debian 12 or Ubuntu 24.04 or newer, or deploy with -i inventories/aws",
        )
    if not amis.debian_architecture():
        raise CloudError(
            f"the local cloud does not support the architecture {platform.machine()}",
            "use x86_64 or aarch64, or deploy with -i inventories/aws",
        )


def _packages() -> list[str]:
    """Return the Debian packages that are missing."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    names = [package for program, package in _PROGRAMS.items() if shutil.which(program, path=path) is None]
    if not packages.KEYRING.exists():
        names.append("debian-archive-keyring")
    return names


def missing(settings: Settings) -> list[dict[str, str]]:
    """Return what has to be installed or built before the cloud can start.

    Each has ``kind`` (``package``, ``environment``, ``modules`` or ``image``) and ``name``; an
    environment also ``path``, ``requirements``, ``marker`` and ``recipe`` (what to write into the
    marker), modules ``path``, ``source``, ``marker`` and ``recipe``, an image ``path``.
    Raises :class:`CloudError` on a computer that the cloud does not support.
    """
    _root()
    _system()
    found = [{"kind": "package", "name": name} for name in _packages()]
    for name, python in (("moto", settings.moto_python), ("ministack", settings.ministack_python)):
        requirements = PROJECT / f"local_cloud/requirements-{name}.txt"
        path = Path(python).parent.parent
        marker = path / "made-from"
        # a virtual environment belongs to one version of Python
        wanted = recipe(requirements.read_text(), platform.python_version())
        if not marker.exists() or marker.read_text().strip() != wanted:
            found.append(
                {
                    "kind": "environment",
                    "name": name,
                    "path": str(path),
                    "requirements": str(requirements),
                    "marker": str(marker),
                    "recipe": wanted,
                }
            )
    found += _modules(settings)
    image = images.path(settings)
    if not image.exists():
        found.append({"kind": "image", "name": "machine image", "path": str(image)})
    return found


def _disk(settings: Settings) -> None:
    place = settings.state
    while not place.exists():
        place = place.parent
    free = shutil.disk_usage(place).free / 1e9
    if free < _DISK_GB:
        raise CloudError(
            f"only {free:.1f} GB are free at {place}, the local cloud needs {_DISK_GB} GB",
            "free some space, or move the clone to a larger disk",
        )


def _ports(settings: Settings) -> None:
    endpoint = settings.endpoint_port
    wanted = [
        ("127.0.0.1", endpoint, "router", "local_cloud_endpoint_port"),
        ("127.0.0.1", settings.moto_port, "moto", "local_cloud_endpoint_port"),
        ("127.0.0.1", settings.ministack_port, "ministack", "local_cloud_endpoint_port"),
    ]
    if settings.machines:
        bridge = settings.gateway
        wanted += [
            (bridge, endpoint, "router", "local_cloud_endpoint_port"),
            (bridge, settings.proxy_port, "relay", "local_cloud_proxy_port"),
        ]
        if not cacher.port():
            wanted.append(("127.0.0.1", settings.cacher_port, "none", "local_cloud_endpoint_port"))
    for host, port, name, variable in wanted:
        record = read_record(settings.run / f"{name}.json")
        if record and record.alive:
            continue
        if in_use(host, port):
            raise CloudError(
                f"port {port} on {host} is in use by another program",
                f"end it, or set {variable} to another port",
            )


def in_use(host: str, port: int) -> bool:
    """Return whether a program listens on this address and port."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            return error.errno == 98
    return False


def _range(settings: Settings) -> None:
    """Refuse an address range that another network of this computer overlaps."""
    for device, used in network.overlapping(settings).items():
        if network.left_behind(device):
            continue
        cloud = network.owner(device)
        raise CloudError(
            f"this computer already uses {used} (on {device}{f', {cloud}, which runs' if cloud else ''}),"
            f" which overlaps the VPC's range {settings.vpc_cidr}",
            f"{'stop it there, or ' if cloud else ''}set platform_vpc_cidr and the subnets' ranges to"
            " another private range",
        )
