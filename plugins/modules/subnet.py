#!/usr/bin/python
"""Ansible module: a subnet of a VPC, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: subnet
short_description: A subnet of a VPC, by name
description:
  - Creates, repairs or removes the subnet called O(name) in the VPC called O(vpc).
  - Addresses and zone of an existing subnet cannot be changed by AWS; a difference there
    is an error that says so.
  - Instances never get a public address by themselves (C(MapPublicIpOnLaunch) is kept off).
options:
  name:
    description: Name tag of the subnet.
    type: str
    required: true
  vpc:
    description: Name tag of the VPC.
    type: str
    required: true
  cidr:
    description: IPv4 range. Required when O(state=present).
    type: str
  zone:
    description: Availability zone. Required when O(state=present).
    type: str
  tags:
    description: All the tags of the subnet, but for the name.
    type: dict
    default: {}
    aliases: [resource_tags]
  state:
    description: Whether the subnet is to exist.
    choices: [present, absent]
    default: present
    type: str
author: The clickstream platform's founders
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
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
resource:
  description: The subnet as it is, or as it would be in check mode.
  returned: unless pending
  type: dict
  sample:
    {subnet_id: subnet-0123, cidr: 10.0.128.0/20, zone: ap-southeast-1a, map_public_ip: false, tags: {}}
pending:
  description: The parent that does not exist yet; in check mode only.
  returned: when a parent is missing
  type: str
"""

from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import (
    Ec2Resource,
    delete_when_free,
    described_tags,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    STATE_ARGUMENT,
    TAGS_ARGUMENT,
    Missing,
    State,
    run,
)


class Subnet(Ec2Resource):
    """A subnet, by its Name tag in a VPC."""

    kind = "subnet"

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None where there is no such subnet or no such VPC."""
        try:
            vpc_id = self.find.vpc(self.params["vpc"])
        except Missing:
            return None
        by = {"tag__Name": self.name, "vpc_id": vpc_id}
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
        """As the task says; needs the VPC."""
        self.find.vpc(self.params["vpc"])
        return {
            "cidr": self.params["cidr"],
            "zone": self.params["zone"],
            "map_public_ip": False,
            "tags": self.wanted_tags(),
        }

    def create(self, desired: State) -> None:
        """Make the subnet and wait until EC2 knows it."""
        made = self.ec2.create_subnet(
            VpcId=self.find.vpc(self.params["vpc"]),
            CidrBlock=desired["cidr"],
            AvailabilityZone=desired["zone"],
            TagSpecifications=self.tag_specification("subnet"),
        )["Subnet"]
        self.ec2.get_waiter("subnet_available").wait(SubnetIds=[made["SubnetId"]])

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair tags and the public-address setting; AWS can change nothing else."""
        fixed = changes & {"cidr", "zone"}
        if fixed:
            there = ", ".join(f"{key} {current[key]}" for key in sorted(fixed))
            self.module.fail_json(
                msg=f"subnet {self.name} has {there}, and AWS cannot change that. "
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
        delete_when_free(partial(self.ec2.delete_subnet, SubnetId=current["subnet_id"]), self.name)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"required": True},
            "vpc": {"required": True},
            "cidr": {},
            "zone": {},
            **TAGS_ARGUMENT,
            **STATE_ARGUMENT,
        },
        required_if=[("state", "present", ("cidr", "zone"))],
        supports_check_mode=True,
    )
    run(module, Subnet(module))


if __name__ == "__main__":
    main()
