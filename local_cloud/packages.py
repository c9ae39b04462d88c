"""Where this computer gets its Debian packages from, as its own apt is configured.

Read each time it is needed, and never written into a tracked file.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

SUITE = "trixie"
ARCHIVE = "debian.archive/debian"
SECURITY = "debian.archive/debian-security"
"""Debian's archive in the machines' apt sources: a made-up host name that the apt proxy maps to a mirror."""

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")

_PASSED_ON = (
    "Acquire::http::Proxy",
    "Acquire::https::Proxy",
    "Acquire::Check-Valid-Until",
    "Acquire::Check-Date",
)


@dataclass(frozen=True)
class Mirrors:
    """Addresses without a trailing slash; ``security`` is empty when there is none."""

    archive: str
    security: str
    suites: tuple[str, ...]
    """The archive's suites that the machines use: trixie, and trixie-updates if it is there."""


def apt_settings() -> dict[str, str]:
    """Return the settings of this computer's apt that its mirror may need, e.g. a proxy."""
    dump = subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=True)
    found = {}
    for line in dump.stdout.splitlines():
        key, _, value = line.rstrip(";").partition(" ")
        if key in _PASSED_ON:
            found[key] = shlex.split(value)[0] if value else ""
    return {key: value for key, value in found.items() if value}


def _configured() -> list[tuple[str, str]]:
    """Return (address, suite) of every package source of this computer."""
    targets = subprocess.run(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Identifier: Packages"],
        capture_output=True,
        text=True,
        check=True,
    )
    pairs = (line.split() for line in targets.stdout.splitlines())
    return [(pair[0].rstrip("/"), pair[1]) for pair in pairs if len(pair) == 2]


def debians_own() -> str:
    """Return the address of Debian's own archive, as mmdebstrap knows it; empty before that is installed."""
    program = shutil.which("mmdebstrap")
    text = Path(program).read_text(errors="replace") if program else ""
    found = re.search(r"\$mirror\s*=\s*'(https?://[^']+)'", text)
    return found.group(1).rstrip("/") if found else ""


def has_suite(address: str, suite: str) -> bool:
    """Return whether a mirror carries a suite; nothing does without an address."""
    if not address.startswith(("http://", "https://")):
        return False
    proxies = {
        scheme: proxy
        for scheme in ("http", "https")
        if (proxy := apt_settings().get(f"Acquire::{scheme}::Proxy", "DIRECT")) != "DIRECT"
    }
    opener = urllib.request.build_opener(urllib.request.ProxyHandler(proxies or None))
    request = urllib.request.Request(f"{address}/dists/{suite}/InRelease", method="HEAD")  # noqa: S310 - apt's own address
    try:
        with opener.open(request, timeout=20) as response:
            return bool(response.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def mirrors() -> Mirrors:
    """Find a Debian mirror: one this computer's apt is configured with, else Debian's own."""
    configured = [pair for pair in _configured() if pair[0].startswith(("http://", "https://"))]
    archives = [
        address
        for address, suite in configured
        if not suite.endswith("-security") and address.rpartition("/")[2] == "debian"
    ]
    securities = [address for address, suite in configured if suite.endswith("-security")]
    archive = next((one for one in dict.fromkeys(archives) if has_suite(one, SUITE)), debians_own())
    security = next(
        (
            one
            for one in dict.fromkeys([*securities, f"{debians_own()}-security"])
            if has_suite(one, f"{SUITE}-security")
        ),
        "",
    )
    suites = [SUITE]
    if has_suite(archive, f"{SUITE}-updates"):
        suites.append(f"{SUITE}-updates")
    return Mirrors(archive, security, tuple(suites))
