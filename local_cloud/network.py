"""The bridge that stands for the VPC."""

from __future__ import annotations

import ipaddress
import json
import subprocess
from pathlib import Path

from local_cloud import locks
from local_cloud.processes import run
from local_cloud.settings import PROJECT, Settings

_FIX = "run as root on a kernel with bridge support"
_ALIAS = "the local cloud"
_DEVICES = Path("/sys/class/net")


def _ip(*arguments: str) -> None:
    run(["ip", *arguments], fix=_FIX)


def exists(settings: Settings) -> bool:
    """Return whether the bridge is there."""
    done = subprocess.run(["ip", "link", "show", "dev", settings.bridge], capture_output=True, check=False)
    return done.returncode == 0


def ensure(settings: Settings) -> bool:
    """Make the bridge with the VPC's first address; return whether anything was missing.

    A bridge in the same range that a killed cloud left behind is removed first.
    """
    for device in overlapping(settings):
        if left_behind(device):
            _ip("link", "delete", "dev", device)
    changed = not exists(settings)
    if changed:
        # Otherwise it is the lowest of the machines' addresses, and changes as they come and go.
        address = ["address", settings.bridge_mac]
        _ip("link", "add", "name", settings.bridge, *address, "type", "bridge", "stp_state", "0")
        _ip("link", "set", "dev", settings.bridge, "alias", f"{_ALIAS} {settings.name} of {PROJECT}"[:255])
        _ip("link", "set", "dev", settings.bridge, "addrgenmode", "none")
        _ip("link", "set", "dev", settings.bridge, "up")
    return add_address(settings, f"{settings.gateway}/{settings.network.prefixlen}") or changed


def overlapping(settings: Settings) -> dict[str, str]:
    """Return this computer's other networks that overlap the cloud's range: device → range."""
    listing = run(["ip", "-json", "-4", "route", "show", "table", "main"], fix=_FIX)
    return {
        route.get("dev", "some device"): route["dst"]
        for route in json.loads(listing or "[]")
        if route["dst"] != "default"
        and route.get("dev") != settings.bridge
        and ipaddress.IPv4Network(route["dst"], strict=False).overlaps(settings.network)
    }


def owner(device: str) -> str:
    """Return whose bridge a device is ("the local cloud NAME of CLONE"); empty if no cloud made it."""
    try:
        alias = (_DEVICES / device / "ifalias").read_text().strip()
    except OSError:
        return ""
    return alias if alias.startswith(f"{_ALIAS} ") else ""


def left_behind(device: str) -> bool:
    """Return whether a device is the bridge of a cloud whose processes were killed.

    Such a bridge has no machine, nobody listens on its addresses, and its clone is not starting a cloud at
    the moment. (A cloud that is killed cannot remove its bridge, and its clone may no longer exist.)
    """
    cloud = owner(device)
    if not cloud or any((_DEVICES / device / "brif").iterdir()):
        return False
    clone = Path(cloud.rpartition(" of ")[2])
    if clone != PROJECT and locks.is_held(clone):
        return False
    listing = run(["ip", "-json", "-4", "addr", "show", "dev", device], fix=_FIX)
    addresses = [one["local"] for link in json.loads(listing) for one in link.get("addr_info", [])]
    return not any(
        run(["ss", "--no-header", "--listening", "--tcp", "src", address], fix=_FIX) for address in addresses
    )


def join_subnet(settings: Settings, subnet: ipaddress.IPv4Network) -> None:
    """Give the bridge a subnet's first address, so that this computer appears inside it.

    Traffic to the subnet then leaves with that address: this is how an emulated function
    comes "from the private subnet".
    """
    add_address(settings, f"{subnet.network_address + 1}/{subnet.prefixlen}")


def add_address(settings: Settings, address: str) -> bool:
    """Add an address to the bridge; return whether it was missing."""
    listing = run(["ip", "-json", "-4", "addr", "show", "dev", settings.bridge], fix=_FIX)
    present = {
        f"{one['local']}/{one['prefixlen']}"
        for link in json.loads(listing)
        for one in link.get("addr_info", [])
    }
    if address in present:
        return False
    _ip("address", "add", address, "dev", settings.bridge)
    return True


def remove(settings: Settings) -> bool:
    """Remove the bridge; return whether it was there."""
    if not exists(settings):
        return False
    _ip("link", "delete", "dev", settings.bridge)
    return True
