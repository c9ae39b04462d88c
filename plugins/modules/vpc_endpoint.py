#!/usr/bin/python
"""Ansible module: a VPC endpoint of an AWS service."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vpc_endpoint
short_description: A VPC endpoint of an AWS service
description:
  - Creates, repairs or removes the endpoint of O(service) with O(type) in the VPC called O(vpc), and waits
    until it is available or gone.
  - An endpoint that AWS could not make (failed, rejected, expired) is an error with AWS's reason; the next
    run removes it and makes it anew.
  - Repairs the policy, route tables, subnets, security groups, private DNS and tags of an existing endpoint.
  - An endpoint is known by VPC, service and type; O(name) is only a tag.
options:
  name:
    description:
      - Name tag of the endpoint.
      - Required, here or in O(each).
    type: str
  vpc:
    description:
      - Name tag of the VPC.
      - Required, here or in O(each).
    type: str
  service:
    description:
      - Name of the service, for example V(com.amazonaws.ap-southeast-1.s3).
      - Required, here or in O(each).
    type: str
  type:
    description: Type of the endpoint.
    choices: [Gateway, Interface]
    default: Interface
    type: str
  policy:
    description: Policy of the endpoint. By default everything is allowed, as in AWS.
    type: dict
  route_tables:
    description: Name tags of the route tables that lead to it; for O(type=Gateway).
    type: list
    elements: str
    default: []
  subnets:
    description: Name tags of the subnets that it has an address in; for O(type=Interface).
    type: list
    elements: str
    default: []
  security_groups:
    description: Names of its security groups; for O(type=Interface).
    type: list
    elements: str
    default: []
  private_dns:
    description: Whether the service's own DNS names lead to it in the whole VPC; for O(type=Interface).
    type: bool
    default: true
author: The clickstream platform's founders
extends_documentation_fragment:
  - clickstream.aws.resource
  - clickstream.aws.each
"""

EXAMPLES = r"""
- name: Reach S3 from the private subnet
  clickstream.aws.vpc_endpoint:
    name: SBW_Project-vpce-s3
    vpc: SBW_Project-vpc
    service: com.amazonaws.ap-southeast-1.s3
    type: Gateway
    route_tables: [SBW_Project-rtb-private1-ap-southeast-1a]
    policy:
      Version: "2012-10-17"
      Statement:
        - {Effect: Allow, Principal: "*", Action: "s3:GetObject", Resource: "arn:aws:s3:::my-bucket/*"}

- name: Reach Systems Manager from the private subnet
  clickstream.aws.vpc_endpoint:
    name: SBW_Project-vpce-ssm
    vpc: SBW_Project-vpc
    service: com.amazonaws.ap-southeast-1.ssm
    subnets: [SBW_Project-subnet-private1-ap-southeast-1a]
    security_groups: [sg_vpc_endpoints]
"""

RETURN = r"""
exists:
  description: Whether the endpoint exists after the task; in check mode, whether it exists now.
  returned: without O(each), unless pending
  type: bool
resource:
  description:
    - The endpoint after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the endpoint does not exist.
  returned: without O(each), unless pending
  type: dict
  contains:
    vpc_endpoint_id:
      description: Id of the endpoint.
      type: str
      sample: vpce-0123456789abcdef0
    policy:
      description: Policy of the endpoint.
      type: dict
    route_tables:
      description: Ids of the route tables that lead to it.
      returned: with O(type=Gateway)
      type: list
      elements: str
    subnets:
      description: Ids of the subnets in which it has an address.
      returned: with O(type=Interface)
      type: list
      elements: str
    security_groups:
      description: Ids of its security groups.
      returned: with O(type=Interface)
      type: list
      elements: str
    private_dns:
      description: Whether the service's own DNS names lead to it in the whole VPC.
      returned: with O(type=Interface)
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
"""

import json
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import (
    Ec2Resource,
    described_tags,
    names_to_ids,
)
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    State,
    policy,
    run_module,
    wait_for,
)

EVERYTHING = {"Effect": "Allow", "Principal": "*", "Action": "*", "Resource": "*"}
# What AWS writes where nobody gave a policy; left out is the version, which differs between the two types.
DEFAULT_POLICY: State = policy({"Statement": [EVERYTHING]})
# State key → the word in ModifyVpcEndpoint's Add…Ids and Remove…Ids.
MEMBERS = {"route_tables": "RouteTable", "subnets": "Subnet", "security_groups": "SecurityGroup"}


def endpoint_policy(document: str | dict[str, Any] | None) -> State:
    """A policy in one of its equal forms; AWS's default is DEFAULT_POLICY whatever version it carries."""
    normal: State = policy(document) if document else DEFAULT_POLICY
    return DEFAULT_POLICY if normal.get("Statement") == DEFAULT_POLICY["Statement"] else normal


LOST = ("failed", "rejected", "expired")
"""States from which an endpoint never comes back."""


def reason(endpoint: Mapping[str, Any]) -> str:
    """What AWS says about an endpoint that it could not make."""
    last = endpoint.get("LastError") or {}
    told = (last.get("Code"), last.get("Message"), endpoint.get("FailureReason"))
    return ": ".join(part for part in told if part) or "AWS gives no reason"


class VpcEndpoint(Ec2Resource):
    """A VPC endpoint, by VPC, service and type."""

    kind = "VPC endpoint"

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None."""
        found = self._in_state("pendingAcceptance", "pending", "available", "partial")
        if len(found) > 1:
            self.module.fail_json(
                msg=f"{len(found)} endpoints of {self.params['service']} are in VPC {self.params['vpc']}: "
                f"{', '.join(item['VpcEndpointId'] for item in found)}. Fix: remove all but one of them."
            )
        return found[0] if found else None

    def _in_state(self, *states: str) -> list[dict[str, Any]]:
        """The endpoints of the task's service, type and VPC in one of these states."""
        return self.find.all(
            "describe_vpc_endpoints",
            "VpcEndpoints",
            vpc_id=self.vpc_id,
            service_name=self.params["service"],
            vpc_endpoint_type=self.params["type"],
            vpc_endpoint_state=list(states),
        )

    @property
    def _is_gateway(self) -> bool:
        return bool(self.params["type"] == "Gateway")

    def read(self) -> State | None:
        """policy, tags, what the type has of MEMBERS (ids) and private_dns, and vpc_endpoint_id."""
        found = self.describe()
        if found is None and self.params["state"] == "absent":
            found = next(iter(self._in_state(*LOST, "deleting")), None)
        if found is None:
            return None
        current = {
            "vpc_endpoint_id": found["VpcEndpointId"],
            "policy": endpoint_policy(found.get("PolicyDocument")),
            "tags": described_tags(found),
        }
        if self._is_gateway:
            return {**current, "route_tables": sorted(found.get("RouteTableIds", []))}
        return {
            **current,
            "subnets": sorted(found.get("SubnetIds", [])),
            "security_groups": sorted(group["GroupId"] for group in found.get("Groups", [])),
            "private_dns": bool(found.get("PrivateDnsEnabled")),
        }

    def desired(self) -> State:
        """As the task says; needs the VPC and what the endpoint is a member of."""

        def ids(key: str, find: Callable[[str, str], str]) -> list[str]:
            return names_to_ids(self.params[key], partial(find, self.vpc_id))

        desired = {"policy": endpoint_policy(self.params["policy"]), "tags": self.wanted_tags()}
        if self._is_gateway:
            return {**desired, "route_tables": ids("route_tables", self.find.route_table)}
        return {
            **desired,
            "subnets": ids("subnets", self.find.subnet),
            "security_groups": ids("security_groups", self.find.security_group),
            "private_dns": self.params["private_dns"],
        }

    def create(self, desired: State) -> None:
        """Make the endpoint, once what failed or is going is gone, and wait until it is available."""
        self._remove()
        arguments: dict[str, Any] = {
            f"{word}Ids": desired[key] for key, word in MEMBERS.items() if desired.get(key)
        }
        if not self._is_gateway:
            arguments["PrivateDnsEnabled"] = desired["private_dns"]
        if desired["policy"] != DEFAULT_POLICY:
            arguments["PolicyDocument"] = json.dumps(self.params["policy"])
        made = self.ec2.create_vpc_endpoint(
            ClientToken=str(uuid.uuid4()),
            VpcId=self.vpc_id,
            ServiceName=self.params["service"],
            VpcEndpointType=self.params["type"],
            TagSpecifications=self.tag_specification("vpc-endpoint"),
            **arguments,
        )["VpcEndpoint"]
        self._wait_available(made["VpcEndpointId"])

    def _wait_available(self, endpoint_id: str) -> None:
        """Return when it is available; one that never will be is told at once, with AWS's reason."""

        def available() -> bool:
            by = {"vpc_endpoint_id": endpoint_id}
            found = next(iter(self.find.all("describe_vpc_endpoints", "VpcEndpoints", **by)), {})
            state = found.get("State", "pending").lower()
            if state in (*LOST, "deleting", "deleted"):
                self.module.fail_json(
                    msg=f"{self.kind} {endpoint_id} of {self.params['service']} is {state}: {reason(found)}. "
                    "Fix: see to the reason, then run the playbook again, which makes it anew."
                )
            return bool(state == "available")

        wait_for(available, f"availability of {endpoint_id}", seconds=600, pause=5)

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair whatever differs, once AWS has finished what it is doing with the endpoint."""
        self._wait_available(current["vpc_endpoint_id"])
        arguments: dict[str, Any] = {}
        for key in changes & MEMBERS.keys():
            there, wanted = set(current[key]), set(desired[key])
            arguments[f"Add{MEMBERS[key]}Ids"] = sorted(wanted - there)
            arguments[f"Remove{MEMBERS[key]}Ids"] = sorted(there - wanted)
        if "private_dns" in changes:
            arguments["PrivateDnsEnabled"] = desired["private_dns"]
        if "policy" in changes and desired["policy"] == DEFAULT_POLICY:
            arguments["ResetPolicy"] = True
        elif "policy" in changes:
            arguments["PolicyDocument"] = json.dumps(self.params["policy"])
        arguments = {key: value for key, value in arguments.items() if value != []}
        if arguments:
            self.ec2.modify_vpc_endpoint(VpcEndpointId=current["vpc_endpoint_id"], **arguments)
            self._wait_available(current["vpc_endpoint_id"])
        if "tags" in changes:
            self.repair_tags(current["vpc_endpoint_id"], current["tags"], desired["tags"])

    def delete(self, current: State) -> None:
        """Remove it and wait until it is gone, its network interfaces with it."""
        self._remove(current["vpc_endpoint_id"])

    def _remove(self, *endpoint_ids: str) -> None:
        """Remove these and what failed, and wait until they and those that are going already are gone."""
        leaving = {item["VpcEndpointId"] for item in self._in_state("deleting")}
        lost = {item["VpcEndpointId"] for item in self._in_state(*LOST)}
        going = sorted({*endpoint_ids, *lost} - leaving)
        waited = sorted({*going, *leaving})
        answer = self.ec2.delete_vpc_endpoints(VpcEndpointIds=going) if going else {}
        for failure in answer.get("Unsuccessful", []):
            self.module.fail_json(
                msg=f"{self.kind} {failure['ResourceId']}: {failure['Error']['Message']}. "
                "Fix: run the playbook again."
            )

        def gone() -> bool:
            left = self.find.all("describe_vpc_endpoints", "VpcEndpoints", vpc_endpoint_id=waited)
            return all(item["State"].lower() == "deleted" for item in left)

        if waited:
            wait_for(gone, "removal of " + ", ".join(waited), seconds=600, pause=5)


def main() -> None:
    """Run the module."""
    names = {"type": "list", "elements": "str", "default": []}
    run_module(
        VpcEndpoint,
        {
            "name": {"required": True},
            "vpc": {"required": True},
            "service": {"required": True},
            "type": {"choices": ["Gateway", "Interface"], "default": "Interface"},
            "policy": {"type": "dict"},
            "route_tables": names,
            "subnets": names,
            "security_groups": names,
            "private_dns": {"type": "bool", "default": True},
        },
        several=True,
    )


if __name__ == "__main__":
    main()
