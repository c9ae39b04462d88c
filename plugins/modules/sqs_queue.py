#!/usr/bin/python
"""Ansible module: an encrypted SQS queue of this account's own."""

from __future__ import annotations

DOCUMENTATION = r"""
module: sqs_queue
short_description: An encrypted SQS queue of this account's own, by name
description:
  - Creates, repairs or removes the standard queue called O(name).
  - Every queue of this module is encrypted with SQS's own key (SSE-SQS) and has no policy, so that only
    identities of the account may use it, as IAM says. No option changes that.
  - After a removal SQS takes a minute until the name is free; who creates the queue again waits for it.
options:
  name:
    description: Name of the queue.
    type: str
    required: true
  retention_days:
    description: Days that a message waits to be read, 14 at most.
    type: int
    default: 14
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the queue of what failed for good
  clickstream.aws.sqs_queue:
    name: clickstream-etl-failed
"""

RETURN = r"""
exists:
  description: Whether the queue exists after the task; in check mode, whether it exists now.
  returned: always
  type: bool
resource:
  description:
    - The queue after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the queue does not exist.
  returned: always
  type: dict
  contains:
    arn:
      description: ARN of the queue.
      type: str
      sample: arn:aws:sqs:ap-southeast-1:123456789012:clickstream-etl-failed
    url:
      description: Address of the queue.
      type: str
    retention_seconds:
      description: Seconds that a message waits to be read.
      type: int
    encrypted:
      description: Whether SQS encrypts messages with its own key.
      type: bool
    policy:
      description: The queue's policy; empty where it has none.
      type: dict
    tags:
      description: All tags.
      type: dict
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InvalidInput,
    Resource,
    State,
    ignore_absent,
    policy,
    retrying,
    run_module,
    wait_for,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    map_tags,
    repair_tags,
    text_tags,
)

DAY, MOST_DAYS = 86400, 14
PREFIX = "AWS.SimpleQueueService."
"""What SQS's error codes begin with in the protocol that botocore spoke before JSON."""

ABSENT = ("QueueDoesNotExist", f"{PREFIX}NonExistentQueue")
DELETED_RECENTLY = ("QueueDeletedRecently", f"{PREFIX}QueueDeletedRecently")


class Queue(Resource):
    """A standard queue, by its name."""

    kind = "queue"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.sqs = module.client("sqs")

    def url(self) -> str | None:
        """The queue's address, or None."""
        found = ignore_absent(lambda: self.sqs.get_queue_url(QueueName=self.name), *ABSENT)
        return found and str(found["QueueUrl"])

    def read(self) -> State | None:
        """retention_seconds, encrypted, policy, tags, arn and url."""
        url = self.url()
        by = {"QueueUrl": url}
        found = url and ignore_absent(
            lambda: self.sqs.get_queue_attributes(**by, AttributeNames=["All"])["Attributes"], *ABSENT
        )
        if not found:
            return None
        return {
            "arn": found["QueueArn"],
            "url": url,
            "retention_seconds": int(found["MessageRetentionPeriod"]),
            "encrypted": found.get("SqsManagedSseEnabled") == "true" and not found.get("KmsMasterKeyId"),
            "policy": policy(found["Policy"]) if found.get("Policy") else {},
            "tags": map_tags(self.sqs.list_queue_tags(**by).get("Tags")),
        }

    def desired(self) -> State:
        """As the task says; always encrypted, and nobody else's."""
        days = self.params["retention_days"]
        if not 0 < days <= MOST_DAYS:
            raise InvalidInput(
                f"SQS keeps a message no {days} days", f"set retention_days to 1 to {MOST_DAYS}"
            )
        return {
            "retention_seconds": days * DAY,
            "encrypted": True,
            "policy": {},
            "tags": text_tags(self.params["tags"]),
        }

    def attributes(self, state: State) -> dict[str, str]:
        """A state in SQS's words."""
        return {
            "MessageRetentionPeriod": str(state["retention_seconds"]),
            "SqsManagedSseEnabled": "true",
        }

    def create(self, desired: State) -> None:
        """Make the queue; a name that was just given up is free after a minute."""
        retrying(
            lambda: self.sqs.create_queue(
                QueueName=self.name, Attributes=self.attributes(desired), tags=desired["tags"]
            ),
            *DELETED_RECENTLY,
            retries=10,
        )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair attributes and tags."""
        by = {"QueueUrl": current["url"]}
        if "encrypted" in changes:
            # a key of somebody's own goes first: SQS has one kind of encryption at a time
            self.sqs.set_queue_attributes(**by, Attributes={"KmsMasterKeyId": ""})
        if changes & {"retention_seconds", "encrypted"}:
            self.sqs.set_queue_attributes(**by, Attributes=self.attributes(desired))
        if "policy" in changes:
            self.sqs.set_queue_attributes(**by, Attributes={"Policy": ""})
        if "tags" in changes:
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.sqs.tag_queue(**by, Tags=tags),
                lambda keys: self.sqs.untag_queue(**by, TagKeys=keys),
            )

    def delete(self, current: State) -> None:
        """Remove it with what is in it, and wait until SQS has (up to a minute)."""
        ignore_absent(lambda: self.sqs.delete_queue(QueueUrl=current["url"]), *ABSENT)
        wait_for(lambda: self.read() is None, "SQS to remove the queue")


def main() -> None:
    """Run the module."""
    run_module(
        Queue,
        {
            "name": {"required": True},
            "retention_days": {"type": "int", "default": MOST_DAYS},
        },
    )


if __name__ == "__main__":
    main()
