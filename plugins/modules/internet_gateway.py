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
    description: Name tag of the VPC it is attached to. Required when O(state=present).
    type: str
  tags:
    description: All the tags of the Internet gateway, but for the name.
    type: dict
    default: {}
    aliases: [resource_tags]
  state:
    description: Whether the Internet gateway is to exist.
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
- name: Create the Internet gateway
  clickstream.aws.internet_gateway:
    name: SBW_Project-igw
    vpc: SBW_Project-vpc
"""

RETURN = r"""
resource:
  description: The Internet gateway as it is, or as it would be in check mode.
  returned: unless pending
  type: dict
  sample: {internet_gateway_id: igw-0123, vpc_id: vpc-0123, tags: {}}
pending:
  description: The parent that does not exist yet; in check mode only.
  returned: when a parent is missing
  type: str
"""

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
    State,
    run,
)


class InternetGateway(Ec2Resource):
    """An Internet gateway, by its Name tag."""

    kind = "Internet gateway"

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
        return {"vpc_id": self.find.vpc(self.params["vpc"]), "tags": self.wanted_tags()}

    def create(self, desired: State) -> None:
        """Make and attach it. A crash in between leaves a detached one, which the next run attaches."""
        made = self.ec2.create_internet_gateway(TagSpecifications=self.tag_specification("internet-gateway"))
        gateway_id = made["InternetGateway"]["InternetGatewayId"]
        self.ec2.get_waiter("internet_gateway_exists").wait(InternetGatewayIds=[gateway_id])
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
            delete_when_free(lambda: self.ec2.detach_internet_gateway(**ids), self.name, seconds=300)

    def delete(self, current: State) -> None:
        """Detach and remove it."""
        self._detach(current)
        self.ec2.delete_internet_gateway(InternetGatewayId=current["internet_gateway_id"])


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"name": {"required": True}, "vpc": {}, **TAGS_ARGUMENT, **STATE_ARGUMENT},
        required_if=[("state", "present", ("vpc",))],
        supports_check_mode=True,
    )
    run(module, InternetGateway(module))


if __name__ == "__main__":
    main()
