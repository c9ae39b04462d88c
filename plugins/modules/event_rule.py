#!/usr/bin/python
"""Ansible module: an EventBridge rule that calls a Lambda function on a schedule."""

from __future__ import annotations

DOCUMENTATION = r"""
module: event_rule
short_description: An EventBridge rule that calls a Lambda function on a schedule
description:
  - Creates, repairs or removes the rule called O(name) on the default event bus.
  - The function is the rule's one target. Any other target is removed, and a rule that somebody disabled is
    enabled again (unless O(enabled=false)).
  - The function's permission for the rule is M(clickstream.aws.lambda_function)'s business.
options:
  name:
    description: Name of the rule.
    type: str
    required: true
  schedule:
    description: Schedule expression, such as V(rate(1 hour)). Required when O(state=present).
    type: str
  function:
    description: Name of the Lambda function to call. Required when O(state=present).
    type: str
  input:
    description: What the function gets, instead of EventBridge's event.
    type: dict
  max_retries:
    description: How often EventBridge tries to deliver an event.
    type: int
    default: 185
  max_age_seconds:
    description: How long EventBridge tries.
    type: int
    default: 86400
  dead_letter_arn:
    description: ARN of the SQS queue for events that could not be delivered.
    type: str
  enabled:
    description: Whether the schedule runs.
    type: bool
    default: true
  description:
    description: What the rule is for.
    type: str
    default: ""
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Run the ETL every hour
  clickstream.aws.event_rule:
    name: SBW_ETL_HOURLY_RULE
    schedule: rate(1 hour)
    function: SBW_Lamda_ETL
"""

RETURN = r"""
exists:
  description: Whether the rule exists after the task; in check mode, whether it exists now.
  returned: unless pending
  type: bool
resource:
  description:
    - The rule after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the rule does not exist.
  returned: unless pending
  type: dict
  contains:
    arn:
      description: ARN of the rule.
      type: str
      sample: arn:aws:events:ap-southeast-1:123456789012:rule/SBW_ETL_HOURLY_RULE
    schedule:
      description: Schedule expression.
      type: str
      sample: rate(1 hour)
    pattern:
      description: Event pattern; null for a rule with nothing but a schedule.
      type: str
    enabled:
      description: Whether the schedule runs.
      type: bool
    description:
      description: What the rule is for.
      type: str
    targets:
      description: Targets in EventBridge's words, its defaults filled in.
      type: list
      elements: dict
    tags:
      description: All tags.
      type: dict
pending:
  description: Name of the parent that does not exist yet.
  returned: in check mode, where a parent is missing
  type: str
"""

import json
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Resource,
    State,
    canonical,
    canonical_list,
    ignore_absent,
    run_module,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    function_arn,
    repair_tags,
    text_tags,
)

TARGET_ID = "function"
RETRIES = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
"""What EventBridge does where a target says nothing."""


def described_target(target: dict[str, Any]) -> dict[str, Any]:
    """A target as EventBridge answers it: the input parsed, its defaults filled in, empty parts left out."""
    filled = {**target, "RetryPolicy": {**RETRIES, **(target.get("RetryPolicy") or {})}}
    return {key: canonical(value) for key, value in filled.items() if value}


class EventRule(Resource):
    """A rule of the default event bus, by its name."""

    kind = "EventBridge rule"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.events = module.client("events")

    def read(self) -> State | None:
        """schedule, pattern, enabled, description, targets, tags, and arn."""
        rule = ignore_absent(lambda: self.events.describe_rule(Name=self.name), "ResourceNotFoundException")
        if rule is None:
            return None
        pages = self.events.get_paginator("list_targets_by_rule").paginate(Rule=self.name)
        return {
            "arn": rule["Arn"],
            "schedule": rule.get("ScheduleExpression"),
            "pattern": rule.get("EventPattern"),
            "enabled": rule["State"] != "DISABLED",
            "description": rule.get("Description", ""),
            "targets": canonical_list(described_target(item) for page in pages for item in page["Targets"]),
            "tags": tag_dict(self.events.list_tags_for_resource(ResourceARN=rule["Arn"])["Tags"]),
        }

    def desired(self) -> State:
        """As the task says; needs the function."""
        return {
            "schedule": self.params["schedule"],
            "pattern": None,
            "enabled": self.params["enabled"],
            "description": self.params["description"],
            "targets": [canonical(self.target())],
            "tags": text_tags(self.params["tags"]),
        }

    def target(self) -> dict[str, Any]:
        """The rule's target in EventBridge's words."""
        target = {
            "Id": TARGET_ID,
            "Arn": function_arn(self.module.client("lambda"), self.params["function"]),
            "RetryPolicy": {
                "MaximumRetryAttempts": self.params["max_retries"],
                "MaximumEventAgeInSeconds": self.params["max_age_seconds"],
            },
        }
        if self.params["input"] is not None:
            target["Input"] = json.dumps(self.params["input"], sort_keys=True)
        if self.params["dead_letter_arn"]:
            target["DeadLetterConfig"] = {"Arn": self.params["dead_letter_arn"]}
        return target

    def create(self, desired: State) -> None:
        """Make the rule, then its target."""
        self.put_rule(desired, Tags=tag_list(desired["tags"]))
        self.put_target()

    def put_rule(self, desired: State, **more: Any) -> None:
        """Set schedule, description and whether it runs; what is left out, such as a pattern, goes."""
        self.events.put_rule(
            Name=self.name,
            ScheduleExpression=desired["schedule"],
            State="ENABLED" if desired["enabled"] else "DISABLED",
            Description=desired["description"],
            **more,
        )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair the rule, its target and its tags."""
        if changes & {"schedule", "pattern", "enabled", "description"}:
            self.put_rule(desired)
        if "targets" in changes:
            extra = [target["Id"] for target in current["targets"] if target["Id"] != TARGET_ID]
            self.remove_targets(extra)
            self.put_target()
        if "tags" in changes:
            arn = current["arn"]
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.events.tag_resource(ResourceARN=arn, Tags=tag_list(tags)),
                lambda keys: self.events.untag_resource(ResourceARN=arn, TagKeys=keys),
            )

    def put_target(self) -> None:
        """Set the rule's own target."""
        self.all_done(self.events.put_targets(Rule=self.name, Targets=[self.target()]))

    def remove_targets(self, ids: list[str]) -> None:
        """Take targets away."""
        if ids:
            self.all_done(self.events.remove_targets(Rule=self.name, Ids=ids))

    def all_done(self, answer: dict[str, Any]) -> None:
        """End the module where EventBridge says, in a successful answer, that it did not do everything."""
        for failed in answer.get("FailedEntries", []):
            self.module.fail_json(
                msg=f"rule {self.name}, target {failed['TargetId']}: "
                f"{failed['ErrorCode']}: {failed['ErrorMessage']}"
            )

    def delete(self, current: State) -> None:
        """Remove the targets, then the rule."""
        self.remove_targets([target["Id"] for target in current["targets"]])
        self.events.delete_rule(Name=self.name)


def main() -> None:
    """Run the module."""
    run_module(
        EventRule,
        {
            "name": {"required": True},
            "schedule": {},
            "function": {},
            "input": {"type": "dict"},
            "max_retries": {"type": "int", "default": 185},
            "max_age_seconds": {"type": "int", "default": 86400},
            "dead_letter_arn": {},
            "enabled": {"type": "bool", "default": True},
            "description": {"default": ""},
        },
        required_if_present=("schedule", "function"),
    )


if __name__ == "__main__":
    main()
