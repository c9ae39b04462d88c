#!/usr/bin/python
"""Ansible module: an Internet gateway attached to a VPC, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: internet_gateway
short_description: An Internet gateway attached to a VPC, by name
description:
  - Creates, attaches, repairs or removes the Internet gateway called O(name).
options:
  name:
    description: Name tag of the Internet gateway.
    type: str
    required: true
  vpc:
    description: Name tag of the VPC that it is attached to. Required when O(state=present).
    type: str
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the Internet gateway
  clickstream.aws.internet_gateway:
    name: SBW_Project-igw
    vpc: SBW_Project-vpc
"""

RETURN = r"""
exists:
  description: Whether the Internet gateway exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The Internet gateway after the task; in check mode as it would be, without the ids that AWS has
      yet to give.
    - Empty where the Internet gateway does not exist.
  returned: unless pending
  type: dict
  contains:
    internet_gateway_id:
      description: Id of the Internet gateway.
      type: str
      sample: igw-0123456789abcdef0
    vpc_id:
      description: Id of the VPC that it is attached to; null where it is detached.
      type: str
      sample: vpc-0123456789abcdef0
    tags:
      description: All tags, C(Name) included.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
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
    delete_when_free,
    described_tags,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    State,
    run_module,
)
from ansible_collections.clickstream.aws.plugins.module_utils.users import lasting


class InternetGateway(Ec2Resource):
    """An Internet gateway, by its Name tag."""

    kind = "Internet gateway"
    unseen = 1

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None."""
        by = {"tag__Name": self.name}
        return self.find.maybe(self.kind, self.name, "describe_internet_gateways", "InternetGateways", **by)

    def read(self) -> State | None:
        """vpc_id (None where it is detached), tags, and internet_gateway_id."""
        found = self.describe()
        return found and {
            "internet_gateway_id": found["InternetGatewayId"],
            "vpc_id": next((to["VpcId"] for to in found.get("Attachments", [])), None),
            "tags": described_tags(found),
        }

    def desired(self) -> State:
        """As the task says; needs the VPC."""
        return {"vpc_id": self.vpc_id, "tags": self.wanted_tags()}

    def create(self, desired: State) -> None:
        """Make and attach it. A crash in between leaves a detached one, which the next run attaches."""
        made = self.ec2.create_internet_gateway(TagSpecifications=self.tag_specification("internet-gateway"))
        gateway_id = made["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway_id, VpcId=desired["vpc_id"])

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair the attachment and the tags."""
        if "vpc_id" in changes:
            self._detach(current)
            self.ec2.attach_internet_gateway(
                InternetGatewayId=current["internet_gateway_id"], VpcId=desired["vpc_id"]
            )
        if "tags" in changes:
            self.repair_tags(current["internet_gateway_id"], current["tags"], desired["tags"])

    def _detach(self, current: State) -> None:
        """AWS refuses while a public address in the VPC is in use, a NAT gateway's going down included."""
        ids = {"InternetGatewayId": current["internet_gateway_id"], "VpcId": current["vpc_id"]}
        if current["vpc_id"]:
            detach = partial(self.ec2.detach_internet_gateway, **ids)
            delete_when_free(detach, self.name, partial(self.users.of_gateway, current["vpc_id"]))

    def delete(self, current: State) -> None:
        """Detach and remove it."""
        self._detach(current)
        self.ec2.delete_internet_gateway(InternetGatewayId=current["internet_gateway_id"])

    def in_the_way(self, current: State) -> list[str]:
        """Who has a public address in its VPC."""
        return lasting(self.users.of_gateway(current["vpc_id"])) if current["vpc_id"] else []


def main() -> None:
    """Run the module."""
    run_module(
        InternetGateway,
        {"name": {"required": True}, "vpc": {}},
        required_if_present=("vpc",),
    )


if __name__ == "__main__":
    main()
