#!/usr/bin/python
"""Ansible module: a CloudWatch log group with a retention."""

from __future__ import annotations

DOCUMENTATION = r"""
module: log_group
short_description: A CloudWatch log group with a retention
description:
  - Creates, repairs or removes the log group called O(name).
  - Unlike M(amazon.aws.cloudwatchlogs_log_group), it writes nothing in check mode.
options:
  name:
    description: Name of the log group.
    type: str
    required: true
  retention_days:
    description: Days that log events are kept, as CloudWatch offers them. V(0) keeps them for ever.
    type: int
    default: 30
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the log group of the ingest function
  clickstream.aws.log_group:
    name: /aws/lambda/clickstream-lambda-ingest
    retention_days: 30
"""

RETURN = r"""
exists:
  description: Whether the log group exists after the task; in check mode, whether it exists now.
  returned: always
  type: bool
resource:
  description:
    - The log group after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the log group does not exist.
  returned: always
  type: dict
  contains:
    arn:
      description: ARN of the log group.
      type: str
      sample: arn:aws:logs:ap-southeast-1:123456789012:log-group:/aws/lambda/clickstream-lambda-ingest
    retention_days:
      description: Days that log events are kept; V(0) stands for ever.
      type: int
    tags:
      description: All tags.
      type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Resource,
    State,
    run_module,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    log_group,
    map_tags,
    repair_tags,
    text_tags,
)


class LogGroup(Resource):
    """A log group, by its name."""

    kind = "log group"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.logs = module.client("logs")

    def read(self) -> State | None:
        """retention_days, tags, and arn."""
        found = log_group(self.logs, self.name)
        if found is None:
            return None
        arn = found["arn"].removesuffix(":*")
        tags = self.logs.list_tags_for_resource(resourceArn=arn)["tags"]
        return {
            "arn": arn,
            "retention_days": found.get("retentionInDays", 0),
            "tags": map_tags(tags),
        }

    def desired(self) -> State:
        """As the task says."""
        return {
            "retention_days": self.params["retention_days"],
            "tags": text_tags(self.params["tags"]),
        }

    def create(self, desired: State) -> None:
        """Make the log group, then set its retention."""
        tags = {"tags": desired["tags"]} if desired["tags"] else {}
        self.logs.create_log_group(logGroupName=self.name, **tags)
        self.put_retention(desired["retention_days"])

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair retention and tags."""
        if "retention_days" in changes:
            self.put_retention(desired["retention_days"])
        if "tags" in changes:
            arn = current["arn"]
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.logs.tag_resource(resourceArn=arn, tags=tags),
                lambda keys: self.logs.untag_resource(resourceArn=arn, tagKeys=keys),
            )

    def put_retention(self, days: int) -> None:
        """Keep log events for so many days; for ever with 0."""
        if days:
            self.logs.put_retention_policy(logGroupName=self.name, retentionInDays=days)
        else:
            self.logs.delete_retention_policy(logGroupName=self.name)

    def delete(self, current: State) -> None:
        """Remove it with everything in it."""
        self.logs.delete_log_group(logGroupName=self.name)


def main() -> None:
    """Run the module."""
    run_module(
        LogGroup,
        {
            "name": {"required": True},
            "retention_days": {"type": "int", "default": 30},
        },
    )


if __name__ == "__main__":
    main()
