"""What machines and sessions need to know of EC2's instances."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from xml.etree import ElementTree

from local_cloud.router.backends import Backends

_NEEDED_ENDPOINTS = ("ssm", "ssmmessages")


@dataclass(frozen=True)
class Instance:
    """One EC2 instance; ``profile`` is the ARN of its instance profile or empty."""

    id: str
    state: str
    address: str
    public_address: str
    subnet: str
    vpc: str
    profile: str


def _instance(item: ElementTree.Element) -> Instance:
    def text(path: str) -> str:
        return (item.findtext(path) or "").strip()

    return Instance(
        id=text("instanceId"),
        state=text("instanceState/name"),
        address=text("privateIpAddress"),
        public_address=text("ipAddress"),
        subnet=text("subnetId"),
        vpc=text("vpcId"),
        profile=text("iamInstanceProfile/arn"),
    )


async def instances(backends: Backends, *ids: str) -> list[Instance]:
    """Return the given instances, or all; an unknown id gives an empty list."""
    params = {f"InstanceId.{number}": one for number, one in enumerate(ids, 1)}
    try:
        answer = await backends.query("ec2", "DescribeInstances", params)
    except LookupError:
        if ids:
            return []
        raise
    return [_instance(item) for item in answer.iterfind(".//instancesSet/item")]


async def prefixes(backends: Backends) -> dict[str, int]:
    """Return the length of every subnet's prefix by the subnet's id."""
    answer = await backends.query("ec2", "DescribeSubnets", {})
    return {
        str(item.findtext("subnetId")): ipaddress.IPv4Network(str(item.findtext("cidrBlock"))).prefixlen
        for item in answer.iterfind(".//subnetSet/item")
    }


async def unregistered(backends: Backends, instance: Instance) -> str:
    """Return why the SSM agent of an instance would not register on AWS; empty if it would.

    It needs an instance profile, and a way to Systems Manager: the interface endpoints or a
    default route.
    """
    if not instance.profile:
        return "it has no instance profile, so its agent has no credentials"
    answer = await backends.query(
        "ec2", "DescribeVpcEndpoints", {"Filter.1.Name": "vpc-id", "Filter.1.Value.1": instance.vpc}
    )
    present = {
        str(item.findtext("serviceName")).rpartition(".")[2]
        for item in answer.iterfind(".//vpcEndpointSet/item")
        if item.findtext("state") == "available"
    }
    missing = [one for one in _NEEDED_ENDPOINTS if one not in present]
    if not missing or await _default_route(backends, instance):
        return ""
    return f"its VPC has no interface endpoint for {' and '.join(missing)}, and it has no default route"


async def _default_route(backends: Backends, instance: Instance) -> bool:
    answer = await backends.query(
        "ec2",
        "DescribeRouteTables",
        {"Filter.1.Name": "association.subnet-id", "Filter.1.Value.1": instance.subnet},
    )
    for route in answer.iterfind(".//routeSet/item"):
        if route.findtext("destinationCidrBlock") == "0.0.0.0/0":
            return bool(route.findtext("natGatewayId")) or bool(instance.public_address)
    return False
