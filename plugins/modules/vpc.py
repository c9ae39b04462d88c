#!/usr/bin/python
"""Ansible module: a VPC, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc
short_description: A VPC, by name
description:
  - Creates, repairs or removes the VPC called O(name).
  - DNS support and DNS hostnames are kept on, for private DNS of interface endpoints needs both.
  - Unlike M(amazon.aws.ec2_vpc_net), which knows a VPC by name and range together, another O(cidr) is an
    error and not a second VPC of the same name; and differences are shown.
options:
  name:
    description: Name tag of the VPC.
    type: str
    required: true
  cidr:
    description: IPv4 range. Required when O(state=present).
    type: str
  tags:
    description: All the tags of the VPC, but for the name.
    type: dict
    default: {}
    aliases: [resource_tags]
  state:
    description: Whether the VPC is to exist.
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
- name: Create the VPC
  clickstream.aws.vpc:
    name: SBW_Project-vpc
    cidr: 10.0.0.0/16
"""

RETURN = r"""
resource:
  description: The VPC as it is, or as it would be in check mode.
  returned: always
  type: dict
  sample:
    {vpc_id: vpc-0123, cidr: 10.0.0.0/16, dns_support: true, dns_hostnames: true, tags: {}}
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

DNS_ATTRIBUTES = {"dns_support": "EnableDnsSupport", "dns_hostnames": "EnableDnsHostnames"}


class Vpc(Ec2Resource):
    """A VPC, by its Name tag."""

    kind = "VPC"

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None."""
        return self.find.maybe(self.kind, self.name, "describe_vpcs", "Vpcs", tag__Name=self.name)

    def read(self) -> State | None:
        """cidr, dns_support, dns_hostnames, tags, and vpc_id."""
        found = self.describe()
        return found and {
            "vpc_id": found["VpcId"],
            "cidr": found["CidrBlock"],
            **{key: self._attribute(found["VpcId"], name) for key, name in DNS_ATTRIBUTES.items()},
            "tags": described_tags(found),
        }

    def _attribute(self, vpc_id: str, name: str) -> bool:
        request = name[0].lower() + name[1:]
        return bool(self.ec2.describe_vpc_attribute(VpcId=vpc_id, Attribute=request)[name]["Value"])

    def desired(self) -> State:
        """As the task says."""
        return {
            "cidr": self.params["cidr"],
            "dns_support": True,
            "dns_hostnames": True,
            "tags": self.wanted_tags(),
        }

    def create(self, desired: State) -> None:
        """Make the VPC; DNS hostnames are off in a new one."""
        vpc_id = self.ec2.create_vpc(
            CidrBlock=desired["cidr"], TagSpecifications=self.tag_specification("vpc")
        )["Vpc"]["VpcId"]
        for waiter in ("vpc_exists", "vpc_available"):
            self.ec2.get_waiter(waiter).wait(VpcIds=[vpc_id])
        self._set_dns(vpc_id, DNS_ATTRIBUTES)

    def _set_dns(self, vpc_id: str, keys: Any) -> None:
        """Switch DNS attributes on, support first (hostnames need it); AWS takes one per call."""
        for key in (key for key in DNS_ATTRIBUTES if key in keys):
            self.ec2.modify_vpc_attribute(VpcId=vpc_id, **{DNS_ATTRIBUTES[key]: {"Value": True}})

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair DNS and tags; the range is fixed."""
        if "cidr" in changes:
            self.module.fail_json(
                msg=f"VPC {self.name} has the range {current['cidr']}, and AWS cannot change that. "
                f"Fix: set the variable to {current['cidr']}, or remove the VPC first."
            )
        self._set_dns(current["vpc_id"], changes)
        if "tags" in changes:
            self.repair_tags(current["vpc_id"], current["tags"], desired["tags"])

    def delete(self, current: State) -> None:
        """Remove it; AWS refuses while anything is in it."""
        delete_when_free(lambda: self.ec2.delete_vpc(VpcId=current["vpc_id"]), self.name, seconds=300)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={"name": {"required": True}, "cidr": {}, **TAGS_ARGUMENT, **STATE_ARGUMENT},
        required_if=[("state", "present", ("cidr",))],
        supports_check_mode=True,
    )
    run(module, Vpc(module))


if __name__ == "__main__":
    main()
