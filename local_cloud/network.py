"""The bridge that stands for the VPC."""

from __future__ import annotations

import ipaddress
import json
import subprocess

from local_cloud.processes import run
from local_cloud.settings import Settings

_FIX = "run as root on a kernel with bridge support"


def _ip(*arguments: str) -> None:
    run(["ip", *arguments], fix=_FIX)


def exists(settings: Settings) -> bool:
    """Return whether the bridge is there."""
    done = subprocess.run(["ip", "link", "show", "dev", settings.bridge], capture_output=True, check=False)
    return done.returncode == 0


def ensure(settings: Settings) -> bool:
    """Make the bridge with the VPC's first address; return whether anything was missing."""
    changed = not exists(settings)
    if changed:
        _ip("link", "add", "name", settings.bridge, "type", "bridge", "stp_state", "0")
        _ip("link", "set", "dev", settings.bridge, "addrgenmode", "none")
        _ip("link", "set", "dev", settings.bridge, "up")
    return add_address(settings, f"{settings.gateway}/{settings.network.prefixlen}") or changed


def join_subnet(settings: Settings, subnet: ipaddress.IPv4Network) -> None:
    """Give the bridge a subnet's first address, so that this machine appears inside it.

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
