"""The relay between the machines and the apt proxy: ``python -m local_cloud.relay <name>``.

It listens on the bridge only and takes a connection only if the emulated network would let
that machine reach the Internet: its subnet's default route leads to an available NAT gateway
(or an Internet gateway, with a public address), and its security groups let it out to 80 or
443. A machine that is no instance is let through if it was started with ``--egress``.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import sys
import time
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from local_cloud import cacher, machines
from local_cloud.credentials import ROOT_KEY, SECRET
from local_cloud.settings import Settings, saved

_REMEMBERED_SECONDS = 0.5
_CHUNK = 1 << 16
log = logging.getLogger("relay")


class Gate:
    """Decides which machine may use the apt proxy."""

    def __init__(self, settings: Settings, ec2: Any) -> None:
        self.gateway = settings.gateway
        self._settings = settings
        self._ec2 = ec2
        self._known: dict[str, tuple[float, str]] = {}

    def closed(self, address: str) -> str:
        """Return why a machine may not use the proxy; empty when it may. Cached for half a second."""
        asked, reason = self._known.get(address, (0.0, ""))
        if time.monotonic() - asked > _REMEMBERED_SECONDS:
            reason = self._ask(address)
            self._known[address] = (time.monotonic(), reason)
        return reason

    def _ask(self, address: str) -> str:
        for machine in machines.every(self._settings):
            if machine.address == address and machine.egress:
                return ""
        try:
            return egress_closed(self._ec2, address)
        except (ClientError, BotoCoreError) as error:
            return f"EC2 does not answer ({error})"


def egress_closed(ec2: Any, address: str) -> str:
    """Return what keeps the instance of an address from the Internet; empty if nothing does.

    ``ec2`` is a boto3 client.
    """
    filters = [
        {"Name": "private-ip-address", "Values": [address]},
        {"Name": "instance-state-name", "Values": ["pending", "running"]},
    ]
    reservations = ec2.describe_instances(Filters=filters)["Reservations"]
    instances = [one for reservation in reservations for one in reservation["Instances"]]
    if not instances:
        return "no running instance has this address"
    instance = instances[0]
    target = _default_route(ec2, instance["VpcId"], instance["SubnetId"])
    if not target:
        return f"subnet {instance['SubnetId']} has no default route"
    if target.startswith("igw-"):
        if not instance.get("PublicIpAddress"):
            return "the instance has no public address"
    elif not _nat_available(ec2, target):
        return f"the default route leads to {target}, which is no available NAT gateway"
    groups = [group["GroupId"] for group in instance["SecurityGroups"]]
    if not _lets_out(ec2, groups):
        return f"no rule of {', '.join(groups)} lets it out to port 80 or 443 anywhere"
    return ""


def _default_route(ec2: Any, vpc: str, subnet: str) -> str:
    """Return where a subnet's default route leads; empty when there is none."""
    named = [{"Name": "association.subnet-id", "Values": [subnet]}]
    main = [
        {"Name": "vpc-id", "Values": [vpc]},
        {"Name": "association.main", "Values": ["true"]},
    ]
    tables = ec2.describe_route_tables(Filters=named)["RouteTables"]
    tables = tables or ec2.describe_route_tables(Filters=main)["RouteTables"]
    for route in tables[0]["Routes"] if tables else []:
        if route.get("DestinationCidrBlock") == "0.0.0.0/0":
            return str(route.get("NatGatewayId") or route.get("GatewayId") or "")
    return ""


def _nat_available(ec2: Any, gateway: str) -> bool:
    if not gateway.startswith("nat-"):
        return False
    with contextlib.suppress(ClientError):
        found = ec2.describe_nat_gateways(NatGatewayIds=[gateway])["NatGateways"]
        return any(one["State"] == "available" for one in found)
    return False


def _lets_out(ec2: Any, groups: list[str]) -> bool:
    """Whether a rule of the groups allows TCP 80 or 443 to everywhere."""
    for group in ec2.describe_security_groups(GroupIds=groups)["SecurityGroups"]:
        for rule in group["IpPermissionsEgress"]:
            everywhere = any(one["CidrIp"] == "0.0.0.0/0" for one in rule.get("IpRanges", []))
            if everywhere and rule["IpProtocol"] == "-1":
                return True
            ports = range(rule.get("FromPort", 1), rule.get("ToPort", 0) + 1)
            if everywhere and rule["IpProtocol"] == "tcp" and (80 in ports or 443 in ports):
                return True
    return False


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        while data := await source.read(_CHUNK):
            sink.write(data)
            await sink.drain()
        if sink.can_write_eof():
            sink.write_eof()


async def _carry(gate: Gate, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one connection of a machine."""
    address = writer.get_extra_info("peername")[0]
    if address == gate.gateway:
        # "start" connects to see whether the relay listens
        writer.close()
        return
    try:
        reason = await asyncio.to_thread(gate.closed, address)
        if reason:
            log.info("%s refused: %s", address, reason)
            # reset instead of an answer: a network without a way out gives none
            writer.transport.abort()
            return
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", cacher.port())
        try:
            await asyncio.gather(_pump(reader, onward), _pump(onward_reader, writer))
        finally:
            onward.close()
    except OSError as error:
        log.warning("%s: apt-cacher-ng does not answer (%s)", address, error)
    finally:
        writer.close()


async def serve(settings: Settings) -> None:
    """Serve until SIGTERM."""
    ec2 = boto3.client(
        "ec2",
        endpoint_url=f"http://127.0.0.1:{settings.moto_port}",
        region_name=settings.region,
        aws_access_key_id=ROOT_KEY,
        aws_secret_access_key=SECRET,
        config=Config(retries={"max_attempts": 0}, connect_timeout=2, read_timeout=5),
    )
    gate = Gate(settings, ec2)
    server = await asyncio.start_server(
        lambda reader, writer: _carry(gate, reader, writer),
        settings.gateway,
        settings.proxy_port,
        backlog=128,
    )
    ended = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, ended.set)
    async with server:
        await ended.wait()


def main() -> int:
    """Run the relay of the cloud named on the command line."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    settings = saved(sys.argv[1])
    if settings is None:
        sys.stderr.write(f"no settings of a cloud named {sys.argv[1]}\n")
        return 2
    asyncio.run(serve(settings))
    return 0


if __name__ == "__main__":
    sys.exit(main())
