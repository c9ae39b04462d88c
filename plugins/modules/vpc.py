#!/usr/bin/python
"""Ansible module: a VPC, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc
short_description: A VPC, by name
description:
  - Creates, repairs or removes the VPC called O(name).
  - DNS support and DNS hostnames are kept on; private DNS of interface endpoints needs both.
  - Unlike M(amazon.aws.ec2_vpc_net), which knows a VPC by name and range together, it does not make a second
    VPC for another O(cidr); that is an error. Differences are shown.
options:
  name:
    description: Name tag of the VPC.
    type: str
    required: true
  cidr:
    description: IPv4 range. Required when O(state=present).
    type: str
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the VPC
  clickstream.aws.vpc:
    name: SBW_Project-vpc
    cidr: 10.0.0.0/16
"""

RETURN = r"""
exists:
  description: Whether the VPC exists after the task; in check mode, whether it exists now.
  returned: always
  type: bool
resource:
  description:
    - The VPC after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the VPC does not exist.
  returned: always
  type: dict
  contains:
    vpc_id:
      description: Id of the VPC.
      type: str
      sample: vpc-0123456789abcdef0
    cidr:
      description: IPv4 range.
      type: str
      sample: 10.0.0.0/16
    dns_support:
      description: Whether Amazon's DNS server answers in the VPC.
      type: bool
    dns_hostnames:
      description: Whether instances with public addresses get DNS names.
      type: bool
    tags:
      description: All tags, C(Name) included.
      type: dict
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

DNS_ATTRIBUTES = {"dns_support": "EnableDnsSupport", "dns_hostnames": "EnableDnsHostnames"}


class Vpc(Ec2Resource):
    """A VPC, by its Name tag."""

    kind = "VPC"
    unseen = 1

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
            "cidr": cidr(self.params["cidr"]),
            "dns_support": True,
            "dns_hostnames": True,
            "tags": self.wanted_tags(),
        }

    def create(self, desired: State) -> None:
        """Make the VPC; DNS hostnames are off in a new one."""
        vpc_id = self.ec2.create_vpc(
            CidrBlock=desired["cidr"], TagSpecifications=self.tag_specification("vpc")
        )["Vpc"]["VpcId"]
        self.ec2.get_waiter("vpc_available").wait(VpcIds=[vpc_id])
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
        vpc_id = current["vpc_id"]
        remove = partial(self.ec2.delete_vpc, VpcId=vpc_id)
        delete_when_free(remove, self.name, partial(self.users.of_vpc, vpc_id))

    def in_the_way(self, current: State) -> list[str]:
        """What is in it."""
        return lasting(self.users.of_vpc(current["vpc_id"]))


def main() -> None:
    """Run the module."""
    run_module(
        Vpc,
        {"name": {"required": True}, "cidr": {}},
        required_if_present=("cidr",),
    )


if __name__ == "__main__":
    main()
