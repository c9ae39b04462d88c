#!/usr/bin/python
"""Ansible module: a public NAT gateway with its own Elastic IP, by name."""

from __future__ import annotations

DOCUMENTATION = r"""
module: nat_gateway
short_description: A public NAT gateway with its own Elastic IP, by name
description:
  - With O(state=present) allocates an Elastic IP, makes the NAT gateway called O(name) with it and waits
    until it is available.
  - With O(state=absent) removes every NAT gateway of that name, waits, and releases their Elastic IPs and
    every unused one of that name.
  - Both carry the name and the tags from the start. What an interrupted run leaves behind is used
    (O(state=present)) or removed (O(state=absent)) by the next run.
options:
  name:
    description: Name tag of the NAT gateway and of its Elastic IP.
    type: str
    required: true
  vpc:
    description: Name tag of the VPC. Required when O(state=present).
    type: str
  subnet:
    description: Name tag of the public subnet that it is in. Required when O(state=present).
    type: str
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Open the way out
  clickstream.aws.nat_gateway:
    name: SBW_Project-nat-temporary
    vpc: SBW_Project-vpc
    subnet: SBW_Project-subnet-public1-ap-southeast-1a

- name: Remove the NAT gateway, its Elastic IP and leftovers
  clickstream.aws.nat_gateway:
    name: SBW_Project-nat-temporary
    state: absent
"""

RETURN = r"""
exists:
  description: Whether the NAT gateway exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The NAT gateway after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the NAT gateway does not exist.
  returned: unless pending
  type: dict
  contains:
    nat_gateway_id:
      description: Id of the NAT gateway.
      type: str
      sample: nat-0123456789abcdef0
    subnet_id:
      description: Id of the public subnet that it is in.
      type: str
      sample: subnet-0123456789abcdef0
    available:
      description: Whether it carries traffic; a new one does after a minute or two.
      type: bool
    elastic_ips:
      description: Allocation ids of its Elastic IPs.
      type: list
      elements: str
    tags:
      description: All tags, C(Name) included.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
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
    ignore_absent,
    run_module,
    wait_for,
)

# What ReleaseAddress answers while the gateway's network interface is going.
STILL_IN_USE = ("InvalidIPAddress.InUse", "AuthFailure")


class NatGateway(Ec2Resource):
    """A NAT gateway and its Elastic IP, by their Name tags."""

    kind = "NAT gateway"
    unseen = 1

    def describe(self) -> dict[str, Any] | None:
        """EC2's description of the one that is there or coming up, or None."""
        by = {"tag__Name": self.name, "state": ["pending", "available"]}
        return self.find.maybe(self.kind, self.name, "describe_nat_gateways", "NatGateways", **by)

    def read(self) -> State | None:
        """subnet_id, available, tags and nat_gateway_id; for state=absent everything of that name."""
        if self.params["state"] == "absent":
            return self._leftovers()
        found = self.describe()
        return found and {
            "nat_gateway_id": found["NatGatewayId"],
            "subnet_id": found["SubnetId"],
            "available": found["State"] == "available",
            "elastic_ips": _allocations(found),
            "tags": described_tags(found),
        }

    def _leftovers(self) -> State | None:
        """nat_gateways and elastic_ips (ids) that are there under the name; None where nothing is."""
        by = {"tag__Name": self.name, "state": ["pending", "available", "failed", "deleting"]}
        gateways = self.find.all("describe_nat_gateways", "NatGateways", **by)
        addresses = {item["AllocationId"] for item in self._unused_addresses()}
        addresses.update(allocation for gateway in gateways for allocation in _allocations(gateway))
        if not gateways and not addresses:
            return None
        ids = sorted(gateway["NatGatewayId"] for gateway in gateways)
        return {"nat_gateways": ids, "elastic_ips": sorted(addresses)}

    def _unused_addresses(self) -> list[dict[str, Any]]:
        """Elastic IPs of that name that nothing uses."""
        addresses = self.find.all("describe_addresses", "Addresses", tag__Name=self.name)
        return [item for item in addresses if not item.get("AssociationId")]

    def desired(self) -> State:
        """As the task says; needs the subnet."""
        return {
            "subnet_id": self.find.subnet(self.vpc_id, self.params["subnet"]),
            "available": True,
            "tags": self.wanted_tags(),
        }

    def create(self, desired: State) -> None:
        """Take an unused Elastic IP of that name or allocate one, make the gateway with it, and wait."""
        address = next(iter(self._unused_addresses()), None) or self.ec2.allocate_address(
            Domain="vpc", TagSpecifications=self.tag_specification("elastic-ip")
        )
        gateway = self.ec2.create_nat_gateway(
            SubnetId=desired["subnet_id"],
            AllocationId=address["AllocationId"],
            TagSpecifications=self.tag_specification("natgateway"),
        )["NatGateway"]
        self._wait_available(gateway["NatGatewayId"])

    def _wait_available(self, gateway_id: str) -> None:
        def available() -> bool:
            found = self.find.all("describe_nat_gateways", "NatGateways", nat_gateway_id=gateway_id)
            state = found[0]["State"] if found else "pending"
            if state in ("failed", "deleting", "deleted"):
                why = found[0].get("FailureMessage", "somebody removed it")
                self.module.fail_json(
                    msg=f"NAT gateway {gateway_id} is {state}: {why}. Fix: run the playbook again."
                )
            return bool(state == "available")

        wait_for(available, f"availability of {gateway_id}", seconds=600, pause=5)

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Wait for one that is coming up, and repair tags; the subnet is fixed."""
        if "subnet_id" in changes:
            self.module.fail_json(
                msg=f"NAT gateway {self.name} is in {current['subnet_id']}, not in {self.params['subnet']}, "
                "and AWS cannot move it. Fix: remove it with playbooks/close_egress.yml first."
            )
        if "available" in changes:
            self._wait_available(current["nat_gateway_id"])
        if "tags" in changes:
            self.repair_tags(current["nat_gateway_id"], current["tags"], desired["tags"])

    def delete(self, current: State) -> None:
        """Remove the gateways, wait until they are gone (a minute), and release the Elastic IPs."""
        for gateway_id in current["nat_gateways"]:
            remove = partial(self.ec2.delete_nat_gateway, NatGatewayId=gateway_id)
            ignore_absent(remove, "NatGatewayNotFound")

        def gone() -> bool:
            if not current["nat_gateways"]:
                return True
            by = {"nat_gateway_id": current["nat_gateways"]}
            left = self.find.all("describe_nat_gateways", "NatGateways", **by)
            return all(gateway["State"] == "deleted" for gateway in left)

        wait_for(gone, "removal of " + ", ".join(current["nat_gateways"]), seconds=600, pause=5)
        for allocation_id in current["elastic_ips"]:
            delete_when_free(
                partial(self._release, allocation_id), allocation_id, seconds=300, codes=STILL_IN_USE
            )

    def _release(self, allocation_id: str) -> None:
        release = partial(self.ec2.release_address, AllocationId=allocation_id)
        ignore_absent(release, "InvalidAllocationID.NotFound")


def _allocations(gateway: dict[str, Any]) -> list[str]:
    """Ids of the Elastic IPs in an EC2 description of a NAT gateway."""
    addresses = gateway.get("NatGatewayAddresses", [])
    return sorted(item["AllocationId"] for item in addresses if item.get("AllocationId"))


def main() -> None:
    """Run the module."""
    run_module(
        NatGateway,
        {
            "name": {"required": True},
            "vpc": {},
            "subnet": {},
        },
        required_if_present=("vpc", "subnet"),
    )


if __name__ == "__main__":
    main()
