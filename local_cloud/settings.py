"""The settings of a local cloud, and the names, ports and paths derived from them.

A cloud is identified by its name. Two clouds run side by side when their names, ports and
address ranges differ; every bridge, cgroup, machine and file name derives from the name.
"""

from __future__ import annotations

import hashlib
import ipaddress
import json
import re
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from local_cloud.credentials import ROOT_KEY
from local_cloud.errors import CloudError

PROJECT = Path(__file__).resolve().parent.parent
"""The clone this package lies in: all state and caches stay inside it."""

ROLE_BOUNDARY = PROJECT / "docs/role-boundary.json"
"""The policy that bounds the platform's roles, which an account's administrator makes."""

_NAME = re.compile(r"[a-z][a-z0-9-]{0,30}")


@dataclass(frozen=True)
class Settings:
    """The settings of one cloud.

    ``endpoint_port`` is the one port clients use; the emulators take the three ports after
    it on 127.0.0.1. ``proxy_port`` is the machines' apt proxy on the bridge address.
    ``lambda_interface_seconds`` is how long the network interfaces of a removed function stay.
    ``deployer_policies`` is a directory of IAM policies: with one, IAM is enforced, and the
    inventory's key is a user that has them. ``foreign_buckets`` are shell patterns of bucket names
    that belong to another account.
    """

    name: str = "clickstream"
    endpoint_port: int = 4566
    proxy_port: int = 3142
    vpc_cidr: str = "10.0.0.0/16"
    region: str = "ap-southeast-1"
    account_id: str = ROOT_KEY
    machines: bool = True
    moto_python: str = str(PROJECT / ".cache/venv-moto/bin/python")
    ministack_python: str = str(PROJECT / ".cache/venv-ministack/bin/python")
    iam_simulate: str = str(PROJECT / ".cache/iam-simulate")
    base_image: str = ""
    lambda_interface_seconds: int = 10
    deployer_policies: str = ""
    foreign_buckets: tuple[str, ...] = field(default=("*-owned-by-somebody-else",))

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise CloudError(
                f"'{self.name}' is not a name for a local cloud",
                "use lower-case letters, digits and '-' (at most 31), starting with a letter",
            )
        for option in ("endpoint_port", "proxy_port"):
            port = getattr(self, option)
            if not 1024 <= port <= 65500:
                raise CloudError(
                    f"{option} {port} is not between 1024 and 65500",
                    f"set local_cloud_{option} to a free port",
                )
        try:
            size = self.network.prefixlen
        except ValueError as error:
            raise CloudError(
                f"'{self.vpc_cidr}' is not an address range ({error})",
                "set platform_vpc_cidr to a private range such as 10.0.0.0/16",
            ) from error
        if not 16 <= size <= 24 or not self.network.is_private:
            raise CloudError(
                f"{self.vpc_cidr} is not a private range between /16 and /24",
                "set platform_vpc_cidr to a private range such as 10.0.0.0/16",
            )

    @property
    def network(self) -> ipaddress.IPv4Network:
        """The address range that machines may come from."""
        return ipaddress.IPv4Network(self.vpc_cidr)

    @property
    def gateway(self) -> str:
        """The first address of the range: this computer, as the machines see it."""
        return str(self.network.network_address + 1)

    @property
    def endpoint(self) -> str:
        """The AWS endpoint for clients on this computer."""
        return f"http://127.0.0.1:{self.endpoint_port}"

    @property
    def moto_port(self) -> int:
        """Port of moto on 127.0.0.1."""
        return self.endpoint_port + 1

    @property
    def ministack_port(self) -> int:
        """Port of ministack on 127.0.0.1."""
        return self.endpoint_port + 2

    @property
    def cacher_port(self) -> int:
        """Port of apt-cacher-ng on 127.0.0.1."""
        return self.endpoint_port + 3

    @property
    def bridge(self) -> str:
        """Name of the bridge: at most 15 characters, different for every cloud name."""
        digest = hashlib.sha256(f"{PROJECT}:{self.name}".encode()).hexdigest()
        return f"lc-{self.name[:7].rstrip('-')}-{digest[:4]}"

    @property
    def bridge_mac(self) -> str:
        """The bridge's MAC address, a locally administered one."""
        digest = hashlib.sha256(f"{PROJECT}:{self.name}".encode()).digest()
        return f"02:{digest[:5].hex(':')}"

    @property
    def state(self) -> Path:
        """Everything this cloud keeps while it runs; ``stop`` removes it."""
        return PROJECT / ".local_cloud" / self.name

    @property
    def run(self) -> Path:
        """One record per daemon."""
        return self.state / "run"

    @property
    def logs(self) -> Path:
        """Logs of the daemons and of the machines."""
        return self.state / "logs"

    @property
    def machine_dir(self) -> Path:
        """One directory per machine."""
        return self.state / "machines"

    @property
    def access_log(self) -> Path:
        """One JSON line per request that passed the endpoint."""
        return self.logs / "access.jsonl"

    @property
    def unjudged_log(self) -> Path:
        """One JSON line per action that IAM's judge could not judge, and why."""
        return self.logs / "unjudged.jsonl"

    @property
    def file(self) -> Path:
        """Where the settings of a started cloud are kept."""
        return self.state / "settings.json"

    @property
    def cache(self) -> Path:
        """Caches, shared by all clouds of this clone and never removed by ``stop``."""
        return PROJECT / ".cache"

    def save(self) -> None:
        """Write the settings where :func:`saved` finds them."""
        self.state.mkdir(parents=True, exist_ok=True)
        self.file.write_text(json.dumps(asdict(self), indent=1) + "\n")


def from_mapping(values: dict[str, Any]) -> Settings:
    """Make settings of a mapping such as a JSON file; an unknown key is refused by name."""
    known = {one.name for one in fields(Settings)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise CloudError(
            f"unknown local cloud setting '{unknown[0]}'",
            f"use one of {', '.join(sorted(known))}",
        )
    if "foreign_buckets" in values:
        values = {**values, "foreign_buckets": tuple(values["foreign_buckets"])}
    return Settings(**values)


def saved(name: str) -> Settings | None:
    """Read the settings a cloud of this name was started with; ``None`` if there is none."""
    file = Settings(name=name).file
    try:
        return from_mapping(json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise CloudError(f"{file} is damaged ({error})", f"remove {file.parent} and start again") from error
