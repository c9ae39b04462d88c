#!/usr/bin/python
"""Ansible module: a flow log of a VPC, kept in a bucket."""

from __future__ import annotations

DOCUMENTATION = r"""
module: flow_log
short_description: A flow log of a VPC, kept in a bucket
description:
  - Creates, repairs or removes the flow log of O(vpc) that goes to O(prefix) of O(bucket).
  - O(name) is its Name tag.
  - The bucket's policy must let V(delivery.logs.amazonaws.com) write there.
  - AWS changes nothing about a flow log but its tags. One that differs is removed and made again; what it has
    delivered stays.
options:
  name:
    description: Name tag of the flow log.
    type: str
    required: true
  vpc:
    description: Name tag of the VPC. Required when O(state=present).
    type: str
  bucket:
    description: Name of the bucket. Required when O(state=present).
    type: str
  prefix:
    description: What the keys of the delivered files begin with, without a slash at its end.
    type: str
    default: flow-logs
  traffic:
    description: Which connections are recorded.
    choices: [ACCEPT, REJECT, ALL]
    default: REJECT
    type: str
  interval_seconds:
    description: For how long packets of a connection are counted together in one line.
    choices: [60, 600]
    default: 600
    type: int
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Record what the network refuses
  clickstream.aws.flow_log:
    name: SBW_Project-vpc-refused
    vpc: SBW_Project-vpc
    bucket: clickstream-s3-logs-myshop
"""

RETURN = r"""
exists:
  description: Whether the flow log exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The flow log after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the flow log does not exist.
  returned: unless pending
  type: dict
  contains:
    flow_log_id:
      description: Id of the flow log.
      type: str
      sample: fl-0123456789abcdef0
    destination:
      description: ARN of the bucket with the prefix.
      type: str
      sample: arn:aws:s3:::clickstream-s3-logs-myshop/flow-logs
    traffic:
      description: Which connections are recorded.
      type: str
    interval_seconds:
      description: For how long packets of a connection are counted together.
      type: int
    tags:
      description: All tags, C(Name) included.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
"""

import time
from typing import Any

from ansible_collections.clickstream.aws.plugins.module_utils.ec2 import Ec2Resource, described_tags
from ansible_collections.clickstream.aws.plugins.module_utils.resource import State, run_module


class FlowLog(Ec2Resource):
    """A flow log, by its VPC and its destination, or by its Name tag."""

    kind = "flow log"
    unseen = 1

    @property
    def destination(self) -> str:
        """ARN of bucket and prefix."""
        partition = "aws-cn" if str(self.module.region).startswith("cn-") else "aws"
        return f"arn:{partition}:s3:::{self.params['bucket']}/{self.params['prefix']}"

    def describe(self) -> dict[str, Any] | None:
        """EC2's description, or None.

        A VPC can have one flow log to a destination: one that lost its name is in the way of another.
        """
        by_name = {"tag__Name": self.name}
        if self.params["state"] == "absent":
            return self.find.maybe(self.kind, self.name, "describe_flow_logs", "FlowLogs", **by_name)
        found = self.find.all("describe_flow_logs", "FlowLogs", resource_id=self.vpc_id)
        there = [one for one in found if destination(one) == self.destination]
        named = [one for one in found if described_tags(one).get("Name") == self.name]
        return next(iter(there + named), None)

    def read(self) -> State | None:
        """destination, traffic, interval_seconds, tags, and flow_log_id."""
        found = self.describe()
        return found and {
            "flow_log_id": found["FlowLogId"],
            "destination": destination(found),
            "traffic": found["TrafficType"],
            "interval_seconds": found["MaxAggregationInterval"],
            "tags": described_tags(found),
        }

    def desired(self) -> State:
        """As the task says; needs the VPC."""
        _ = self.vpc_id
        return {
            "destination": self.destination,
            "traffic": self.params["traffic"],
            "interval_seconds": self.params["interval_seconds"],
            "tags": self.wanted_tags(),
        }

    def create(self, desired: State) -> None:
        """Make it, and ask again for half a minute while the bucket's new policy is not known everywhere."""
        for pause in (2, 3, 5, 10, 10, 0):
            refused = self.refusal(desired)
            if refused is None:
                return
            if "Access Denied" not in refused or not pause:
                break
            time.sleep(pause)
        self.module.fail_json(
            msg=f"{self.kind} {self.name}: {refused}. Fix: run playbooks/storage.yml, which makes the bucket "
            f"{self.params['bucket']} and lets AWS deliver logs to it."
        )

    def refusal(self, desired: State) -> str | None:
        """Make it; EC2 answers 200 also where it could not, and why, which this returns."""
        answer = self.ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[self.vpc_id],
            LogDestinationType="s3",
            LogDestination=f"{desired['destination']}/",
            TrafficType=desired["traffic"],
            MaxAggregationInterval=desired["interval_seconds"],
            TagSpecifications=self.tag_specification("vpc-flow-log"),
        )
        errors = [one["Error"] for one in answer.get("Unsuccessful", [])]
        return str(errors[0].get("Message", errors[0])).rstrip(".") if errors else None

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair the tags, or make it anew."""
        if changes - {"tags"}:
            self.delete(current)
            self.create(desired)
        else:
            self.repair_tags(current["flow_log_id"], current["tags"], desired["tags"])

    def delete(self, current: State) -> None:
        """Remove it; what it has delivered stays."""
        self.ec2.delete_flow_logs(FlowLogIds=[current["flow_log_id"]])


def destination(description: dict[str, Any]) -> str:
    """Where a flow log goes, as ARN of a bucket and its prefix without a slash at the end."""
    return str(description.get("LogDestination", "")).rstrip("/")


def main() -> None:
    """Run the module."""
    run_module(
        FlowLog,
        {
            "name": {"required": True},
            "vpc": {},
            "bucket": {},
            "prefix": {"default": "flow-logs"},
            "traffic": {"choices": ["ACCEPT", "REJECT", "ALL"], "default": "REJECT"},
            "interval_seconds": {"type": "int", "choices": [60, 600], "default": 600},
        },
        required_if_present=("vpc", "bucket"),
    )


if __name__ == "__main__":
    main()
