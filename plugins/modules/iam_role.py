#!/usr/bin/python
"""Ansible module: an IAM role with exactly the rights of the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: iam_role
short_description: An IAM role with exactly the rights of the task
description:
  - Creates, repairs or removes the role called O(name), its inline policies and, where asked for, the
    instance profile of the same name.
  - A policy that the task does not name is removed, inline or managed, and so is an instance profile of the
    same name without O(instance_profile=true).
options:
  name:
    description: Name of the role. Required, here or in O(each).
    type: str
  trust:
    description: Policy document that says who may assume the role. Required when O(state=present).
    type: dict
  inline_policies:
    description: Policy documents by name.
    type: dict
    default: {}
  managed_policies:
    description: ARNs of managed policies.
    type: list
    elements: str
    default: []
  instance_profile:
    description: Whether there is an instance profile of the same name that holds the role.
    type: bool
    default: false
  description:
    description: What the role is for.
    type: str
    default: ""
  permissions_boundary:
    description: ARN of the managed policy that bounds what the role may do; empty for none.
    type: str
    default: ""
  max_session_seconds:
    description: Longest duration of a session of the role, in seconds.
    type: int
    default: 3600
author: The clickstream platform's founders
extends_documentation_fragment:
  - clickstream.aws.resource
  - clickstream.aws.each
"""

EXAMPLES = r"""
- name: Create the role of the ingest function
  clickstream.aws.iam_role:
    name: clickstream-lambda-ingest-role
    trust:
      Version: "2012-10-17"
      Statement:
        - Effect: Allow
          Principal: {Service: lambda.amazonaws.com}
          Action: sts:AssumeRole
    inline_policies:
      store:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Action: s3:PutObject
            Resource: arn:aws:s3:::clickstream-s3-ingest/events/*
"""

RETURN = r"""
exists:
  description: Whether the role exists after the task; in check mode, whether it exists now.
  returned: without O(each)
  type: bool
resource:
  description:
    - The role after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the role does not exist.
  returned: without O(each)
  type: dict
  contains:
    arn:
      description: ARN of the role.
      returned: where the role exists, and not only its instance profile
      type: str
      sample: arn:aws:iam::123456789012:role/clickstream-lambda-ingest-role
    trust:
      description: Policy document that says who may assume the role.
      type: dict
    inline_policies:
      description: Policy documents by name.
      type: dict
    managed_policies:
      description: ARNs of the attached managed policies.
      type: list
      elements: str
    instance_profile:
      description: Names of the roles in the instance profile of the same name; null without such a profile.
      type: list
      elements: str
    description:
      description: What the role is for.
      type: str
    permissions_boundary:
      description: ARN of the policy that bounds what the role may do; empty for none.
      type: str
    max_session_seconds:
      description: Longest duration of a session.
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

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.patience import patient
from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    Resource,
    State,
    ignore_absent,
    policy,
    retrying,
    run_module,
    tag_dict,
    tag_list,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import (
    repair_tags,
    text_tags,
    together,
)

ABSENT = "NoSuchEntity"


class IamRole(Resource):
    """A role, by its name in the account."""

    kind = "IAM role"

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.iam = patient(module.client("iam"))
        self.new_boundary = False

    def read(self) -> State | None:
        """trust, inline_policies, managed_policies, instance_profile, description, …, and arn."""
        iam, name = self.iam, self.name
        found = together(
            role=lambda: ignore_absent(lambda: iam.get_role(RoleName=name)["Role"], ABSENT),
            profile=self.profile_roles,
            inline=lambda: ignore_absent(self.inline_policies, ABSENT),
            managed=lambda: ignore_absent(self.managed_policies, ABSENT),
        )
        role = found["role"]
        if role is None:
            # An interrupted removal leaves a profile without its role.
            return None if found["profile"] is None else {"instance_profile": found["profile"]}
        return {
            "arn": role["Arn"],
            "trust": policy(role["AssumeRolePolicyDocument"]),
            "inline_policies": found["inline"],
            "managed_policies": found["managed"],
            "instance_profile": found["profile"],
            "description": role.get("Description", ""),
            "permissions_boundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "max_session_seconds": role.get("MaxSessionDuration", 3600),
            "tags": tag_dict(role.get("Tags")),
        }

    def profile_roles(self) -> list[str] | None:
        """The roles in the instance profile of the same name; None where there is no such profile."""
        answer = ignore_absent(lambda: self.iam.get_instance_profile(InstanceProfileName=self.name), ABSENT)
        return answer and [role["RoleName"] for role in answer["InstanceProfile"]["Roles"]]

    def inline_policies(self) -> dict[str, Any]:
        """Every inline policy, normalised."""
        pages = self.iam.get_paginator("list_role_policies").paginate(RoleName=self.name)
        return {
            name: policy(self.iam.get_role_policy(RoleName=self.name, PolicyName=name)["PolicyDocument"])
            for page in pages
            for name in page["PolicyNames"]
        }

    def managed_policies(self) -> list[str]:
        """The ARNs of the managed policies, sorted."""
        pages = self.iam.get_paginator("list_attached_role_policies").paginate(RoleName=self.name)
        return sorted(item["PolicyArn"] for page in pages for item in page["AttachedPolicies"])

    def desired(self) -> State:
        """As the task says."""
        inline = {name: policy(document) for name, document in self.params["inline_policies"].items()}
        return {
            "trust": policy(self.params["trust"]),
            "inline_policies": inline,
            "managed_policies": sorted(set(self.params["managed_policies"])),
            "instance_profile": [self.name] if self.params["instance_profile"] else None,
            "description": self.params["description"],
            "permissions_boundary": self.params["permissions_boundary"],
            "max_session_seconds": self.params["max_session_seconds"],
            "tags": text_tags(self.params["tags"]),
        }

    def create(self, desired: State) -> None:
        """Make the role, then its policies and profile."""
        self.make_role(desired)
        self.update(
            {"inline_policies": {}, "managed_policies": []}, desired, frozenset(desired) - SET_AT_CREATION
        )

    def make_role(self, desired: State) -> None:
        """Make the bare role and wait until IAM knows it."""
        boundary = desired["permissions_boundary"]
        self.new_boundary = bool(boundary)
        self.iam.create_role(
            **({"PermissionsBoundary": boundary} if boundary else {}),
            RoleName=self.name,
            AssumeRolePolicyDocument=json.dumps(self.params["trust"]),
            Description=desired["description"],
            MaxSessionDuration=desired["max_session_seconds"],
            Tags=tag_list(desired["tags"]),
        )
        self.iam.get_waiter("role_exists").wait(RoleName=self.name, WaiterConfig={"Delay": 1})

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Repair what differs."""
        if "arn" not in current and "trust" in changes:
            self.make_role(desired)
            current, changes = (
                {**current, "inline_policies": {}, "managed_policies": []},
                changes - SET_AT_CREATION,
            )
        if "permissions_boundary" in changes:  # first: a deployer's rights to the rest may hang on it
            self.new_boundary = True
            self.repair_boundary(desired["permissions_boundary"])
        if "trust" in changes:
            document = json.dumps(self.params["trust"])
            trust = partial(self.iam.update_assume_role_policy, RoleName=self.name)
            self.bounded(partial(trust, PolicyDocument=document))
        if changes & {"description", "max_session_seconds"}:
            self.iam.update_role(
                RoleName=self.name,
                Description=desired["description"],
                MaxSessionDuration=desired["max_session_seconds"],
            )
        if "inline_policies" in changes:
            self.repair_inline(current["inline_policies"], desired["inline_policies"])
        if "managed_policies" in changes:
            self.repair_managed(set(current["managed_policies"]), set(desired["managed_policies"]))
        if "instance_profile" in changes:
            self.repair_profile(current.get("instance_profile"), desired["instance_profile"])
        if "tags" in changes:
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.iam.tag_role(RoleName=self.name, Tags=tag_list(tags)),
                lambda keys: self.iam.untag_role(RoleName=self.name, TagKeys=keys),
            )

    def repair_boundary(self, arn: str) -> None:
        """Set the boundary, or take it away."""
        if arn:
            self.iam.put_role_permissions_boundary(RoleName=self.name, PermissionsBoundary=arn)
        else:
            self.iam.delete_role_permissions_boundary(RoleName=self.name)

    def repair_inline(self, current: dict[str, Any], desired: dict[str, Any]) -> None:
        """Remove extra inline policies, put those that differ."""
        for name in current.keys() - desired.keys():
            self.iam.delete_role_policy(RoleName=self.name, PolicyName=name)
        for name in (name for name in desired if current.get(name) != desired[name]):
            document = json.dumps(self.params["inline_policies"][name])
            put = partial(self.iam.put_role_policy, RoleName=self.name, PolicyName=name)
            self.bounded(partial(put, PolicyDocument=document))

    def repair_managed(self, current: set[str], desired: set[str]) -> None:
        """Detach extra managed policies, attach missing ones."""
        for arn in current - desired:
            self.iam.detach_role_policy(RoleName=self.name, PolicyArn=arn)
        for arn in desired - current:
            self.bounded(partial(self.iam.attach_role_policy, RoleName=self.name, PolicyArn=arn))

    def bounded(self, call: Callable[[], Any]) -> None:
        """Make the call; a deployer may only in a role whose boundary every server of IAM knows already."""
        if self.new_boundary:
            retrying(call, "AccessDenied", retries=6)
        else:
            call()

    def repair_profile(self, current: list[str] | None, desired: list[str] | None) -> None:
        """Make, fill, empty or remove the instance profile (it holds one role at most)."""
        profile = {"InstanceProfileName": self.name}
        if current is None and desired is not None:
            self.iam.create_instance_profile(**profile, Tags=tag_list(self.params["tags"]))
            waiter = self.iam.get_waiter("instance_profile_exists")
            waiter.wait(**profile, WaiterConfig={"Delay": 1})
        for role in set(current or []) - set(desired or []):
            self.iam.remove_role_from_instance_profile(**profile, RoleName=role)
        for role in set(desired or []) - set(current or []):
            self.iam.add_role_to_instance_profile(**profile, RoleName=role)
        if current is not None and desired is None:
            retrying(partial(self.iam.delete_instance_profile, **profile), "DeleteConflict", retries=5)

    def delete(self, current: State) -> None:
        """Remove the profile, the policies and the role."""
        self.repair_profile(current["instance_profile"], None)
        if "arn" in current:
            self.repair_inline(current["inline_policies"], {})
            self.repair_managed(set(current["managed_policies"]), set())
            retrying(partial(self.iam.delete_role, RoleName=self.name), "DeleteConflict", retries=5)


SET_AT_CREATION = frozenset({"trust", "description", "permissions_boundary", "max_session_seconds", "tags"})
"""Keys that the call which creates a role sets."""


def main() -> None:
    """Run the module."""
    run_module(
        IamRole,
        {
            "name": {"required": True},
            "trust": {"type": "dict"},
            "inline_policies": {"type": "dict", "default": {}},
            "managed_policies": {"type": "list", "elements": "str", "default": []},
            "instance_profile": {"type": "bool", "default": False},
            "description": {"default": ""},
            "permissions_boundary": {"default": ""},
            "max_session_seconds": {"type": "int", "default": 3600},
        },
        required_if_present=("trust",),
        several=True,
    )


if __name__ == "__main__":
    main()
