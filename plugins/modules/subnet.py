#!/usr/bin/python
"""Ansible module: a subnet of a VPC, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: subnet
short_description: A subnet of a VPC, by name
description:
  - Creates, repairs or removes the subnet called O(name) in the VPC called O(vpc).
  - AWS cannot change the range and the zone of an existing subnet; a difference there is an error.
  - C(MapPublicIpOnLaunch) is kept off, so that no instance gets a public address by itself.
options:
  name:
    description: Name tag of the subnet. Required, here or in O(each).
    type: str
  vpc:
    description: Name tag of the VPC. Required, here or in O(each).
    type: str
  cidr:
    description: IPv4 range. Required when O(state=present).
    type: str
  zone:
    description: Availability zone. Required when O(state=present).
    type: str
author: The clickstream platform's founders
extends_documentation_fragment:
  - clickstream.aws.resource
  - clickstream.aws.each
"""

EXAMPLES = r"""
- name: Create the private subnet
  clickstream.aws.subnet:
    name: SBW_Project-subnet-private1-ap-southeast-1a
    vpc: SBW_Project-vpc
    cidr: 10.0.128.0/20
    zone: ap-southeast-1a
"""

RETURN = r"""
exists:
  description: Whether the subnet exists after the task; in check mode, whether it exists now.
  returned: without O(each), unless pending
  type: bool
resource:
  description:
    - The subnet after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the subnet does not exist.
  returned: without O(each), unless pending
  type: dict
  contains:
    subnet_id:
      description: Id of the subnet.
      type: str
      sample: subnet-0123456789abcdef0
    cidr:
      description: IPv4 range.
      type: str
      sample: 10.0.128.0/20
    zone:
      description: Availability zone.
      type: str
      sample: ap-southeast-1a
    map_public_ip:
      description: Whether a new instance gets a public address by itself.
      type: bool
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
in_the_way:
  description: What somebody else made and what would hinder the removal, each by kind and id.
  returned: in check mode with O(state=absent), and where the removal fails for it
  type: list
  elements: str
  sample: [instance i-0123456789abcdef0 (theirs)]
"""

from functools import partial
from typing import Any

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import (
    Ec2Resource,
    cidr,
    delete_when_free,
    described_tags,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    State,
    run_module,
)
from ansible_collections.clickstream.aws.plugins.module_utils.users import lasting


class Subnet(Ec2Resource):
    """A subnet, by its Name tag in a VPC."""

    kind = "subnet"

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None."""
        by = {"tag__Name": self.name, "vpc_id": self.vpc_id}
        return self.find.maybe(self.kind, self.name, "describe_subnets", "Subnets", **by)

    def read(self) -> State | None:
        """cidr, zone, map_public_ip, tags, and subnet_id."""
        found = self.describe()
        return found and {
            "subnet_id": found["SubnetId"],
            "cidr": found["CidrBlock"],
            "zone": found["AvailabilityZone"],
            "map_public_ip": found["MapPublicIpOnLaunch"],
            "tags": described_tags(found),
        }

    def desired(self) -> State:
        """As the task says."""
        return {
            "cidr": cidr(self.params["cidr"]),
            "zone": self.params["zone"],
            "map_public_ip": False,
            "tags": self.wanted_tags(),
        }

    def create(self, desired: State) -> None:
        """Make the subnet and wait until EC2 knows it."""
        made = self.ec2.create_subnet(
            VpcId=self.vpc_id,
            CidrBlock=desired["cidr"],
            AvailabilityZone=desired["zone"],
            TagSpecifications=self.tag_specification("subnet"),
        )["Subnet"]
        self.ec2.get_waiter("subnet_available").wait(SubnetIds=[made["SubnetId"]])

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair tags and the public-address setting; AWS can change nothing else."""
        immutable = changes & {"cidr", "zone"}
        if immutable:
            actual = ", ".join(f"{key} {current[key]}" for key in sorted(immutable))
            self.module.fail_json(
                msg=f"subnet {self.name} has {actual}, and AWS cannot change that. "
                "Fix: set the variable to what is there, or remove the subnet first."
            )
        if "map_public_ip" in changes:
            self.ec2.modify_subnet_attribute(
                SubnetId=current["subnet_id"], MapPublicIpOnLaunch={"Value": False}
            )
        if "tags" in changes:
            self.repair_tags(current["subnet_id"], current["tags"], desired["tags"])

    def delete(self, current: State) -> None:
        """Remove it, once what was in it is gone."""
        subnet_id = current["subnet_id"]
        remove = partial(self.ec2.delete_subnet, SubnetId=subnet_id)
        delete_when_free(remove, self.name, partial(self.users.of_subnet, subnet_id))

    def in_the_way(self, current: State) -> list[str]:
        """Who has a network interface in it."""
        return lasting(self.users.of_subnet(current["subnet_id"]))


def main() -> None:
    """Run the module."""
    run_module(
        Subnet,
        {
            "name": {"required": True},
            "vpc": {"required": True},
            "cidr": {},
            "zone": {},
        },
        required_if_present=("cidr", "zone"),
        several=True,
    )


if __name__ == "__main__":
    main()
