#!/usr/bin/python
"""Ansible module: a route table with exactly these routes and subnets, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: route_table
short_description: A route table with exactly these routes and subnets, by name
description:
  - Creates, repairs or removes the route table called O(name) in the VPC called O(vpc).
  - A route or subnet that the task does not name is removed; a subnet of another table is moved to this one.
  - The local route, propagated routes and those that gateway endpoints put in (see
    M(clickstream.aws.vpc_endpoint)) are left alone.
options:
  name:
    description:
      - Name tag of the route table.
      - Required, here or in O(each).
    type: str
  vpc:
    description:
      - Name tag of the VPC.
      - Required, here or in O(each).
    type: str
  subnets:
    description: Name tags of the subnets that use it.
    type: list
    elements: str
    default: []
  routes:
    description: The routes, besides those left alone.
    type: list
    elements: dict
    default: []
    suboptions:
      destination:
        description: IPv4 or IPv6 range, or id of a prefix list.
        type: str
        required: true
      internet_gateway:
        description: Name tag of the Internet gateway that the route leads to.
        type: str
      nat_gateway:
        description: Name tag of the NAT gateway that the route leads to.
        type: str
author: The clickstream platform's founders
extends_documentation_fragment:
  - clickstream.aws.resource
  - clickstream.aws.each
"""

EXAMPLES = r"""
- name: Create the public route table
  clickstream.aws.route_table:
    name: SBW_Project-rtb-public
    vpc: SBW_Project-vpc
    subnets: [SBW_Project-subnet-public1-ap-southeast-1a]
    routes:
      - destination: 0.0.0.0/0
        internet_gateway: SBW_Project-igw
"""

RETURN = r"""
exists:
  description: Whether the route table exists after the task; in check mode, whether it exists now.
  returned: without O(each), unless pending
  type: bool
resource:
  description:
    - The route table after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the route table does not exist.
  returned: without O(each), unless pending
  type: dict
  contains:
    route_table_id:
      description: Id of the route table.
      type: str
      sample: rtb-0123456789abcdef0
    subnets:
      description: Ids of the subnets that use it.
      type: list
      elements: str
    routes:
      description: The routes that this module manages.
      type: list
      elements: dict
      contains:
        destination:
          description: IPv4 or IPv6 range, or id of a prefix list.
          type: str
          sample: 0.0.0.0/0
        target:
          description: Id of the gateway, instance or other target that the route leads to.
          type: str
          sample: igw-0123456789abcdef0
    tags:
      description: All tags, C(Name) included.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
resources:
  description: With O(each), C(exists) and C(resource) of each entry, in their order.
  returned: with O(each)
  type: list
  elements: dict
"""

from collections.abc import Mapping
from functools import partial
from typing import Any

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import (
    Ec2Resource,
    cidr,
    described_tags,
    names_to_ids,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    State,
    canonical_list,
    run_module,
)

DESTINATIONS = ("DestinationCidrBlock", "DestinationIpv6CidrBlock", "DestinationPrefixListId")
TARGETS = (
    "NatGatewayId",
    "GatewayId",
    "NetworkInterfaceId",
    "InstanceId",
    "TransitGatewayId",
    "VpcPeeringConnectionId",
    "EgressOnlyInternetGatewayId",
    "LocalGatewayId",
    "CarrierGatewayId",
    "CoreNetworkArn",
    "OdbNetworkArn",
)


def shown_routes(routes: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The routes of an EC2 description that tasks and people make, as {destination, target}.

    Left out are the local route, propagated ones and those of gateway endpoints (target: a ``vpce-`` id).
    """
    shown = []
    for route in routes:
        target = next((route[key] for key in TARGETS if route.get(key)), "")
        ours = target != "local" and not (target.startswith("vpce-") and route.get("DestinationPrefixListId"))
        if ours and route.get("Origin") != "EnableVgwRoutePropagation":
            destination = next(route[key] for key in DESTINATIONS if route.get(key))
            shown.append({"destination": destination, "target": target})
    return canonical_list(shown)


def subnet_associations(table: Mapping[str, Any]) -> dict[str, str]:
    """Association ids by subnet id, of an EC2 description; gateways' and the main one are left out."""
    going = ("disassociating", "disassociated", "failed")
    return {
        item["SubnetId"]: item["RouteTableAssociationId"]
        for item in table.get("Associations", [])
        if item.get("SubnetId") and item.get("AssociationState", {}).get("State") not in going
    }


def destination_form(destination: str) -> str:
    """A task's destination as EC2 keeps it."""
    return destination if destination.startswith("pl-") else cidr(destination)


def destination_argument(destination: str) -> dict[str, str]:
    """The destination as the route calls take it, whichever of the three kinds it is."""
    if destination.startswith("pl-"):
        return {"DestinationPrefixListId": destination}
    return {"DestinationIpv6CidrBlock" if ":" in destination else "DestinationCidrBlock": destination}


class RouteTable(Ec2Resource):
    """A route table, by its Name tag in a VPC."""

    kind = "route table"
    unseen = 1

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None."""
        by = {"tag__Name": self.name, "vpc_id": self.vpc_id}
        return self.find.maybe(self.kind, self.name, "describe_route_tables", "RouteTables", **by)

    def read(self) -> State | None:
        """subnets (ids), routes, tags, and route_table_id."""
        found = self.describe()
        return found and {
            "route_table_id": found["RouteTableId"],
            "subnets": sorted(subnet_associations(found)),
            "routes": shown_routes(found["Routes"]),
            "tags": described_tags(found),
        }

    def desired(self) -> State:
        """As the task says; needs the VPC, the subnets and the gateways."""
        return {
            "subnets": names_to_ids(self.params["subnets"], partial(self.find.subnet, self.vpc_id)),
            "routes": canonical_list(
                {"destination": destination_form(route["destination"]), "target": self._target(route)}
                for route in self.params["routes"]
            ),
            "tags": self.wanted_tags(),
        }

    def _target(self, route: Mapping[str, Any]) -> str:
        if route["nat_gateway"]:
            return self.find.nat_gateway(route["nat_gateway"])
        return self.find.internet_gateway(route["internet_gateway"])

    def create(self, desired: State) -> None:
        """Make the table, then its routes, then move the subnets in."""
        table_id = self.ec2.create_route_table(
            VpcId=self.vpc_id, TagSpecifications=self.tag_specification("route-table")
        )["RouteTable"]["RouteTableId"]
        self._set_routes(table_id, [], desired["routes"])
        self._set_subnets(table_id, [], desired["subnets"])

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair routes, subnets and tags."""
        table_id = current["route_table_id"]
        if "routes" in changes:
            self._set_routes(table_id, current["routes"], desired["routes"])
        if "subnets" in changes:
            self._set_subnets(table_id, current["subnets"], desired["subnets"])
        if "tags" in changes:
            self.repair_tags(table_id, current["tags"], desired["tags"])

    def _set_routes(self, table_id: str, old: list[dict[str, str]], new: list[dict[str, str]]) -> None:
        """Remove, replace (without a gap) and add routes."""
        there = {route["destination"]: route["target"] for route in old}
        for destination in there.keys() - {route["destination"] for route in new}:
            self.ec2.delete_route(RouteTableId=table_id, **destination_argument(destination))
        for route in new:
            if there.get(route["destination"]) != route["target"]:
                call = self.ec2.replace_route if route["destination"] in there else self.ec2.create_route
                target = "NatGatewayId" if route["target"].startswith("nat-") else "GatewayId"
                call(
                    RouteTableId=table_id,
                    **destination_argument(route["destination"]),
                    **{target: route["target"]},
                )

    def _set_subnets(self, table_id: str, old: list[str], new: list[str]) -> None:
        """Move subnets in (without a gap where they have another table) and others out."""
        for subnet_id in sorted(set(new) - set(old)):
            association_id = self._association(subnet_id)
            if association_id:
                self.ec2.replace_route_table_association(AssociationId=association_id, RouteTableId=table_id)
            else:
                self.ec2.associate_route_table(RouteTableId=table_id, SubnetId=subnet_id)
        for subnet_id in sorted(set(old) - set(new)):
            self.ec2.disassociate_route_table(AssociationId=self._association(subnet_id))

    def _association(self, subnet_id: str) -> str | None:
        """The id of the subnet's association with whichever table."""
        tables = self.find.all("describe_route_tables", "RouteTables", **{"association.subnet-id": subnet_id})
        return next((subnet_associations(table).get(subnet_id) for table in tables), None)

    def delete(self, current: State) -> None:
        """Move every subnet out (to the VPC's main table) and remove the table."""
        self._set_subnets(current["route_table_id"], current["subnets"], [])
        self.ec2.delete_route_table(RouteTableId=current["route_table_id"])


def main() -> None:
    """Run the module."""
    route = {
        "type": "list",
        "elements": "dict",
        "default": [],
        "options": {"destination": {"required": True}, "internet_gateway": {}, "nat_gateway": {}},
        "mutually_exclusive": [("internet_gateway", "nat_gateway")],
        "required_one_of": [("internet_gateway", "nat_gateway")],
    }
    run_module(
        RouteTable,
        {
            "name": {"required": True},
            "vpc": {"required": True},
            "subnets": {"type": "list", "elements": "str", "default": []},
            "routes": route,
        },
        several=True,
    )


if __name__ == "__main__":
    main()
