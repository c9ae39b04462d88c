#!/usr/bin/python
"""Ansible module: a secret in SSM Parameter Store, made once and never shown."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_parameter
short_description: A secret in SSM Parameter Store, made once and never shown
description:
  - Creates, repairs or removes the SecureString parameter called O(name).
  - With O(generate), the value is made where the parameter does not exist, and afterwards neither read nor
    changed. With O(value), the parameter holds that value.
  - With neither, the parameter must exist; its value is neither read nor changed, only the rest repaired.
  - No value is returned, logged or part of a diff.
options:
  name:
    description:
      - Name of the parameter, with its path.
      - Required, here or in O(each).
    type: str
  value:
    description: The secret.
    type: str
  generate:
    description: How to make the secret.
    type: dict
    suboptions:
      length:
        description: Number of characters.
        type: int
        default: 40
      alphabet:
        description: Characters to choose from; by default letters and digits, which need no quoting.
        type: str
        default: ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789
  description:
    description: What the secret is for.
    type: str
    default: ""
  each:
    description:
      - Several parameters in one task. The task's own options hold for all of them.
    type: list
    elements: dict
    suboptions:
      name:
        description: As O(name).
        type: str
      value:
        description: As O(value).
        type: str
      generate:
        description: As O(generate).
        type: dict
        suboptions:
          length:
            description: Number of characters.
            type: int
            default: 40
          alphabet:
            description: Characters to choose from.
            type: str
            default: ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789
      description:
        description: As O(description).
        type: str
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Make the password of the loader, once
  clickstream.aws.secret_parameter:
    name: /clickstream/warehouse/loader_password
    generate: {length: 40}
"""

RETURN = r"""
exists:
  description: Whether the parameter exists after the task; in check mode, whether it exists now.
  returned: without O(each)
  type: bool
resource:
  description:
    - The parameter after the task; in check mode as it would be, without the version that AWS has yet
      to give.
    - The value is never returned.
    - Empty where the parameter does not exist.
  returned: without O(each)
  type: dict
  contains:
    type:
      description: V(SecureString); Parameter Store's type.
      type: str
    description:
      description: What the secret is for.
      type: str
    version:
      description: Number of its current version.
      type: int
    tags:
      description: All tags.
      type: dict
resources:
  description: With O(each), C(exists) and C(resource) of each entry, in their order.
  returned: with O(each)
  type: list
  elements: dict
"""

import secrets
import string
from typing import Any, ClassVar

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Resource,
    State,
    ignore_absent,
    run_module,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    repair_tags,
    text_tags,
    together,
)

ABSENT = ("ParameterNotFound", "InvalidResourceId")


class SecretParameter(Resource):
    """A SecureString parameter, by its full name."""

    kind = "secret parameter"
    secret: ClassVar[frozenset[str]] = frozenset({"value"})

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.ssm = module.client("ssm")
        self.by = {"ResourceType": "Parameter", "ResourceId": self.name}
        self.exists = False

    def read(self) -> State | None:
        """type, description, tags, version; the value only where the task gives one to compare with."""
        found = together(described=self.describe, value=self.value, tags=self.tags)
        parameter = found["described"]
        if parameter is None:
            return None
        self.exists = True
        state = {
            "type": parameter["Type"],
            "description": parameter.get("Description", ""),
            "tags": found["tags"],
            "version": parameter["Version"],
        }
        return state if found["value"] is None else {**state, "value": found["value"]}

    def describe(self) -> dict[str, Any] | None:
        """SSM's description of the parameter (never its value), or None."""
        exactly = [{"Key": "Name", "Option": "Equals", "Values": [self.name]}]
        pages = self.ssm.get_paginator("describe_parameters").paginate(ParameterFilters=exactly)
        return next((item for page in pages for item in page["Parameters"]), None)

    def value(self) -> str | None:
        """The value as it is; None where the task gives none, or where there is no parameter."""
        if self.params["value"] is None:
            return None
        answer = ignore_absent(lambda: self.ssm.get_parameter(Name=self.name, WithDecryption=True), *ABSENT)
        return answer and str(answer["Parameter"]["Value"])

    def tags(self) -> dict[str, str]:
        """The tags; none where there is no parameter."""
        answer = ignore_absent(lambda: self.ssm.list_tags_for_resource(**self.by), *ABSENT) or {}
        return tag_dict(answer.get("TagList"))

    def desired(self) -> State:
        """As the task says; a generated value only for a parameter that does not exist."""
        state = {
            "type": "SecureString",
            "description": self.params["description"],
            "tags": text_tags(self.params["tags"]),
        }
        if self.params["value"] is not None:
            return {**state, "value": self.params["value"]}
        return state if self.exists else {**state, "value": self.generated()}

    def generated(self) -> str:
        """A fresh secret from the system's random source."""
        how = self.params["generate"]
        if how is None:
            return ""  # create() says that there is nothing to store; check mode needs no value
        return "".join(secrets.choice(how["alphabet"]) for _ in range(how["length"]))

    def create(self, desired: State) -> None:
        """Store the secret; refuses to overwrite one that somebody has made in the meantime."""
        if not desired["value"]:
            self.module.fail_json(
                msg=f"parameter {self.name} does not exist and there is no value for it. "
                "Fix: give the task a value, or let it generate one."
            )
        self.ssm.put_parameter(
            Name=self.name,
            Value=desired["value"],
            Type=desired["type"],
            Description=desired["description"],
            Tags=tag_list(desired["tags"]),
            Overwrite=False,
        )

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair value, description and tags; AWS can change no type."""
        if "type" in changes:
            self.module.fail_json(
                msg=f"parameter {self.name} is a {current['type']}, not secret, and AWS cannot change that. "
                f"Fix: aws ssm delete-parameter --region {self.ssm.meta.region_name} --name {self.name}; "
                "the next run makes a new secret."
            )
        if changes & {"value", "description"}:
            kept = {} if "value" in desired else self.ssm.get_parameter(Name=self.name, WithDecryption=True)
            self.ssm.put_parameter(
                Name=self.name,
                Value=desired["value"] if "value" in desired else kept["Parameter"]["Value"],
                Type=desired["type"],
                Description=desired["description"],
                Overwrite=True,
            )
        if "tags" in changes:
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.ssm.add_tags_to_resource(**self.by, Tags=tag_list(tags)),
                lambda keys: self.ssm.remove_tags_from_resource(**self.by, TagKeys=keys),
            )

    def delete(self, current: State) -> None:
        """Remove it; the secret is lost."""
        self.ssm.delete_parameter(Name=self.name)


def main() -> None:
    """Run the module."""
    run_module(
        SecretParameter,
        {
            "name": {"required": True},
            "value": {"no_log": True},
            "generate": {
                "type": "dict",
                "no_log": False,
                "options": {
                    "length": {"type": "int", "default": 40},
                    "alphabet": {"default": string.ascii_uppercase + string.ascii_lowercase + string.digits},
                },
            },
            "description": {"default": ""},
        },
        mutually_exclusive=[("value", "generate")],
        several=True,
    )


if __name__ == "__main__":
    main()
