#!/usr/bin/python
"""Ansible module: a secret in SSM Parameter Store, made once and never shown."""

from __future__ import annotations

DOCUMENTATION = r"""
module: secret_parameter
short_description: A secret in SSM Parameter Store, made once and never shown
description:
  - Creates, repairs or removes the SecureString parameter called O(name).
  - With O(generate), the value is made where the parameter does not exist, and is neither read nor changed
    ever after. With O(value), the parameter is to hold that value.
  - With neither, the parameter must exist; its value is neither read nor changed, only the rest repaired.
  - No value is returned, logged or part of a diff.
options:
  name:
    description: Name of the parameter, with its path.
    type: str
    required: true
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
        description: The characters to choose from; by default those that need quoting nowhere.
        type: str
        default: ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789
  description:
    description: What the secret is for.
    type: str
    default: ""
  tags:
    description: All the tags of the parameter.
    type: dict
    default: {}
    aliases: [resource_tags]
  state:
    description: Whether the parameter is to exist.
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
- name: Make the password of the loader, once
  clickstream.aws.secret_parameter:
    name: /clickstream/warehouse/loader_password
    generate: {length: 40}
"""

RETURN = r"""
resource:
  description: The parameter as it is, or as it would be in check mode, without its value.
  returned: always
  type: dict
  sample: {type: SecureString, description: Password of the loader, tags: {}, version: 1}
"""

import secrets
import string
from typing import Any, ClassVar

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    STATE_ARGUMENT,
    TAGS_ARGUMENT,
    Resource,
    State,
    ignore_absent,
    run,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    tag_changes,
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
        by = {"ResourceType": "Parameter", "ResourceId": self.name}
        answer = ignore_absent(lambda: self.ssm.list_tags_for_resource(**by), *ABSENT) or {}
        return tag_dict(answer.get("TagList"))

    def desired(self) -> State:
        """As the task says; a value of its own making only for a parameter that does not exist."""
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
        """Store the secret; refuses to overwrite one that came into being in between."""
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
                f"Fix: aws ssm delete-parameter --name {self.name}; the next run makes a new secret."
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
            to_set, to_remove = tag_changes(current["tags"], desired["tags"])
            by = {"ResourceType": "Parameter", "ResourceId": self.name}
            if to_remove:
                self.ssm.remove_tags_from_resource(**by, TagKeys=to_remove)
            if to_set:
                self.ssm.add_tags_to_resource(**by, Tags=tag_list(to_set))

    def delete(self, current: State) -> None:
        """Remove it; the secret is lost."""
        self.ssm.delete_parameter(Name=self.name)


def main() -> None:
    """Run the module."""
    module = AnsibleAWSModule(
        argument_spec={
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
            **TAGS_ARGUMENT,
            **STATE_ARGUMENT,
        },
        mutually_exclusive=[("value", "generate")],
        supports_check_mode=True,
    )
    run(module, SecretParameter(module))


if __name__ == "__main__":
    main()
