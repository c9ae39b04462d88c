"""Who uses a subnet, a security group, an Internet gateway or a VPC that is to be removed.

AWS only says that something does (DependencyViolation). What goes by itself is waited for; the rest was made
by somebody else, who has to be told which it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, NamedTuple

from botocore.exceptions import ClientError

from ansible_collections.clickstream.aws.plugins.module_utils.resource import filters, ignore_absent, tag_dict

LAMBDA_SECONDS = 7200
"""How long the network interfaces of a deleted function may stay: 20 to 45 minutes, at times over an hour."""

LAMBDA_DESCRIPTION = "AWS Lambda VPC ENI-"
OWNER = re.compile(r"\b(vpce|nat)-[0-9a-f]+")
"""The endpoint or NAT gateway in the description of its network interface."""


LEFT_BY_LAMBDA = "network interface of a deleted Lambda function"


class User(NamedTuple):
    """Something that uses a resource, by kind and id; ``passing`` if it goes by itself."""

    kind: str
    id: str
    name: str = ""
    passing: bool = False

    def __str__(self) -> str:
        return f"{self.kind} {self.id}" + (f" ({self.name})" if self.name else "")


def lasting(users: Iterable[User]) -> list[str]:
    """The users that do not go by themselves."""
    return [str(user) for user in users if not user.passing]


# Kind, DescribeX and the key of its answer, key of the id, filter by VPC, and what every VPC has by itself.
IN_VPC: tuple[tuple[str, str, str, str, str], ...] = (
    ("subnet", "describe_subnets", "Subnets", "SubnetId", "vpc-id"),
    ("security group", "describe_security_groups", "SecurityGroups", "GroupId", "vpc-id"),
    ("route table", "describe_route_tables", "RouteTables", "RouteTableId", "vpc-id"),
    ("network ACL", "describe_network_acls", "NetworkAcls", "NetworkAclId", "vpc-id"),
    (
        "Internet gateway",
        "describe_internet_gateways",
        "InternetGateways",
        "InternetGatewayId",
        "attachment.vpc-id",
    ),
    ("VPN gateway", "describe_vpn_gateways", "VpnGateways", "VpnGatewayId", "attachment.vpc-id"),
    ("VPC endpoint", "describe_vpc_endpoints", "VpcEndpoints", "VpcEndpointId", "vpc-id"),
    ("NAT gateway", "describe_nat_gateways", "NatGateways", "NatGatewayId", "vpc-id"),
)
GONE = ("deleted", "failed", "detached", "terminated")
GOING = ("deleting", "detaching", "shutting-down")


def of_every_vpc(kind: str, thing: Mapping[str, Any]) -> bool:
    """Whether it came with the VPC and goes with it."""
    main = any(one.get("Main") for one in thing.get("Associations", []))
    return {
        "security group": thing.get("GroupName") == "default",
        "network ACL": bool(thing.get("IsDefault")),
        "route table": main,
    }.get(kind, False)


class Users:
    """Looks for users; asks Lambda for the functions only where one of its network interfaces is there."""

    def __init__(self, ec2: Any, functions: Any, *, look_only: bool = False) -> None:
        self.ec2 = ec2
        self.functions = functions
        self.look_only = look_only

    def _all(self, call: str, key: str, **by: Any) -> list[dict[str, Any]]:
        argument = "Filter" if call == "describe_nat_gateways" else "Filters"
        asked = {argument: filters(**by)}
        if not self.ec2.can_paginate(call):
            return list(getattr(self.ec2, call)(**asked)[key])
        return [item for page in self.ec2.get_paginator(call).paginate(**asked) for item in page[key]]

    def interfaces(self, **by: str) -> list[dict[str, Any]]:
        """EC2's descriptions of the network interfaces that match."""
        return self._all("describe_network_interfaces", "NetworkInterfaces", **by)

    def of_subnet(self, subnet_id: str) -> list[User]:
        """Who has a network interface in the subnet."""
        return self._owners(self.interfaces(subnet_id=subnet_id))

    def of_group(self, group_id: str) -> list[User]:
        """Whose network interface has the security group, and which other group's rules name it."""
        rules = [
            User("security group", item["GroupId"], item.get("GroupName", ""))
            for way in ("ip-permission", "egress.ip-permission")
            for item in self._all(
                "describe_security_groups", "SecurityGroups", **{f"{way}.group-id": group_id}
            )
            if item["GroupId"] != group_id
        ]
        return self._owners(self.interfaces(group_id=group_id)) + rules

    def of_gateway(self, vpc_id: str) -> list[User]:
        """Who has a public address in the VPC."""
        public = [item for item in self.interfaces(vpc_id=vpc_id) if item.get("Association")]
        return self._owners(public)

    def of_vpc(self, vpc_id: str) -> list[User]:
        """What is in the VPC."""
        found = self._owners(self.interfaces(vpc_id=vpc_id))
        for kind, call, key, id_key, by in IN_VPC:
            for item in self._all(call, key, **{by: vpc_id}):
                state = str(item.get("State", "")).lower()
                if state not in GONE and not of_every_vpc(kind, item):
                    name = tag_dict(item.get("Tags")).get("Name") or item.get("GroupName", "")
                    found.append(User(kind, item[id_key], name, passing=state in GOING))
        return found

    def release(self, interface: Mapping[str, Any]) -> bool:
        """Remove a deleted function's network interface where Lambda has let it go; whether it is gone."""
        if interface["Status"] != "available" or self.look_only:
            return False
        going = interface["NetworkInterfaceId"]
        try:
            ignore_absent(
                lambda: self.ec2.delete_network_interface(NetworkInterfaceId=going),
                "InvalidNetworkInterfaceID.NotFound",
            )
        except ClientError as error:
            if error.response["Error"]["Code"] != "InvalidParameterValue":  # in use again
                raise
            return False
        return True

    def function_of(self, interface: Mapping[str, Any]) -> str | None:
        """The function that a network interface of Lambda is for; None where it has been deleted."""
        groups = {group["GroupId"] for group in interface["Groups"]}
        for function in self._functions:
            network = function.get("VpcConfig") or {}
            if interface["SubnetId"] in network.get("SubnetIds", []) and groups == set(
                network.get("SecurityGroupIds", [])
            ):
                return str(function["FunctionName"])
        return None

    @cached_property
    def _functions(self) -> list[dict[str, Any]]:
        """All functions, published versions too: these have network interfaces of their own."""
        pages = self.functions.get_paginator("list_functions").paginate(FunctionVersion="ALL")
        return [function for page in pages for function in page["Functions"]]

    def _owners(self, interfaces: Iterable[Mapping[str, Any]]) -> list[User]:
        """Who has the network interfaces, each once."""
        return list(dict.fromkeys(self._owner(interface) for interface in interfaces))

    def _owner(self, interface: Mapping[str, Any]) -> User:
        interface_id, description = interface["NetworkInterfaceId"], interface.get("Description", "")
        if is_lambdas(interface):
            function = self.function_of(interface)
            if function:
                return User("Lambda function", function)
            self.release(interface)
            return User(LEFT_BY_LAMBDA, interface_id, passing=True)
        instance = (interface.get("Attachment") or {}).get("InstanceId")
        if instance:
            return self._instance(instance)
        owner = OWNER.search(description)
        if owner and owner[1] == "vpce":
            found = self._all("describe_vpc_endpoints", "VpcEndpoints", vpc_endpoint_id=owner[0])
            return _parent("VPC endpoint", owner[0], found)
        if owner:
            found = self._all("describe_nat_gateways", "NatGateways", nat_gateway_id=owner[0])
            return _parent("NAT gateway", owner[0], found)
        name = tag_dict(interface.get("TagSet")).get("Name") or description
        return User("network interface", interface_id, name)

    def _instance(self, instance_id: str) -> User:
        found = self._all("describe_instances", "Reservations", instance_id=instance_id)
        for instance in (one for reservation in found for one in reservation["Instances"]):
            name = tag_dict(instance.get("Tags")).get("Name", "")
            passing = instance["State"]["Name"] in (*GONE, *GOING)
            return User("instance", instance_id, name, passing)
        return User("instance", instance_id, passing=True)


def _parent(kind: str, parent_id: str, found: list[dict[str, Any]]) -> User:
    for parent in found:
        name = tag_dict(parent.get("Tags")).get("Name", "")
        return User(kind, parent_id, name, passing=parent["State"].lower() in (*GONE, *GOING))
    return User(kind, parent_id, passing=True)


def is_lambdas(interface: Mapping[str, Any]) -> bool:
    """Whether Lambda made the network interface for a function."""
    described = str(interface.get("Description", "")).startswith(LAMBDA_DESCRIPTION)
    return interface.get("InterfaceType") == "lambda" or described
