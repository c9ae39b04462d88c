#!/usr/bin/python
"""Ansible module: a Cognito user pool whose users sign in with a verified e-mail address."""

from __future__ import annotations

DOCUMENTATION = r"""
module: user_pool
short_description: A Cognito user pool whose users sign in with a verified e-mail address
description:
  - Creates, repairs or removes the user pool called O(name), and the domain of its hosted sign-in pages.
  - Every pool of this module lets people sign in with their e-mail address, whatever its case. Cognito
    verifies the address before it counts, also where it is changed, and recovers a lost password through it.
    No option changes that.
  - Cognito resets what an update does not name. The module sends the whole pool again, so that what it has no
    option for, such as a second factor, the sender and text of mails or the feature plan, stays as somebody
    has set it.
  - Cognito knows pools by id. Two pools of this name are an error.
  - O(state=absent) takes the deletion protection off, and removes the pool with its domain, its clients and
    B(all its users).
options:
  name:
    description: Name of the pool.
    type: str
    required: true
  password_length:
    description: Least number of characters of a password, 6 to 99.
    type: int
    default: 12
  password_needs:
    description: Kinds of characters that a password must have.
    type: list
    elements: str
    choices: [lowercase, uppercase, numbers, symbols]
    default: [lowercase, uppercase, numbers, symbols]
  temporary_password_days:
    description: Days that the password of a user whom an administrator made is valid, 1 to 365.
    type: int
    default: 7
  self_registration:
    description: Whether people may sign up by themselves.
    type: bool
    default: true
  deletion_protection:
    description: Whether Cognito refuses to delete the pool. O(state=absent) takes it off first.
    type: bool
    default: true
  triggers:
    description:
      - Lambda functions that take part in signing up and in, in the words of Cognito's C(LambdaConfig). By
        default none. Any other is removed, for a trigger may let anybody in.
    type: dict
    default: {}
  domain:
    description:
      - First part of the address of Cognito's own sign-in pages,
        C(https://<domain>.auth.<region>.amazoncognito.com). By default there are none.
      - No other pool in the region may have it, in any account. A change removes the old address.
    type: str
    default: ""
author: The clickstream platform's founders
extends_documentation_fragment: clickstream.aws.resource
"""

EXAMPLES = r"""
- name: Create the pool of the shop's users
  clickstream.aws.user_pool:
    name: clickstream-users
    domain: my-shop
"""

RETURN = r"""
exists:
  description: Whether the pool exists after the task; in check mode, whether it exists now.
  returned: always
  type: bool
resource:
  description:
    - The pool after the task; in check mode as it would be, without the ids that AWS has yet to give.
    - Empty where the pool does not exist.
  returned: always
  type: dict
  contains:
    pool_id:
      description: Id of the pool.
      type: str
      sample: ap-southeast-1_a1B2c3D4e
    arn:
      description: ARN of the pool.
      type: str
    issuer:
      description: Issuer of the pool's tokens.
      type: str
      sample: https://cognito-idp.ap-southeast-1.amazonaws.com/ap-southeast-1_a1B2c3D4e
    sign_in:
      description: What users sign in with. It holds from the pool's creation on.
      type: dict
      contains:
        attributes:
          description: Attributes that stand for the user's name.
          type: list
          elements: str
        case_sensitive:
          description: Whether C(A@example.com) is another user than C(a@example.com).
          type: bool
    password:
      description: What a password must be like.
      type: dict
      contains:
        length:
          description: Least number of characters.
          type: int
        needs:
          description: Kinds of characters that it must have.
          type: list
          elements: str
        temporary_days:
          description: Days that an administrator's password is valid.
          type: int
    verified:
      description: Attributes that Cognito verifies when a user signs up.
      type: list
      elements: str
    verified_before_change:
      description: Attributes that keep their old value until the new one is verified.
      type: list
      elements: str
    recovery:
      description: Ways to recover a lost password, the first one first.
      type: list
      elements: str
    self_registration:
      description: Whether people may sign up by themselves.
      type: bool
    deletion_protection:
      description: Whether Cognito refuses to delete the pool.
      type: bool
    triggers:
      description: Lambda functions that take part, in Cognito's words.
      type: dict
    domain:
      description: First part of the address of the hosted sign-in pages; empty where there are none.
      type: str
    tags:
      description: All tags.
      type: dict
"""

import re
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule

from ansible_collections.clickstream.aws.plugins.module_utils.resource import (
    InvalidInput,
    Resource,
    State,
    ignore_absent,
    run_module,
    wait_for,
)
from ansible_collections.clickstream.aws.plugins.module_utils.services import map_tags, repair_tags, text_tags
from ansible_collections.clickstream.aws.plugins.module_utils.user_pools import (
    ABSENT,
    find_pool,
    issuer,
    kept,
)

NEEDS = {
    "lowercase": "RequireLowercase",
    "uppercase": "RequireUppercase",
    "numbers": "RequireNumbers",
    "symbols": "RequireSymbols",
}
SIGN_IN: State = {"attributes": ["email"], "case_sensitive": False}
RESERVED = ("aws", "amazon", "cognito")
"""Words that Cognito refuses in a domain."""

TEMPLATES = {
    "SmsVerificationMessage": "SmsMessage",
    "EmailVerificationMessage": "EmailMessage",
    "EmailVerificationSubject": "EmailSubject",
}
"""A text's old place → its place in VerificationMessageTemplate. Cognito answers both, and takes one."""


def described(pool: dict[str, Any]) -> State:
    """Cognito's description of a pool in the shape of :meth:`UserPool.desired`."""
    policy = (pool.get("Policies") or {}).get("PasswordPolicy") or {}
    mechanisms = (pool.get("AccountRecoverySetting") or {}).get("RecoveryMechanisms") or []
    changes = pool.get("UserAttributeUpdateSettings") or {}
    return {
        "sign_in": {
            "attributes": sorted(pool.get("UsernameAttributes") or []),
            "case_sensitive": (pool.get("UsernameConfiguration") or {}).get("CaseSensitive", True),
        },
        "password": {
            "length": policy.get("MinimumLength", 8),
            "needs": sorted(kind for kind, word in NEEDS.items() if policy.get(word)),
            "temporary_days": policy.get("TemporaryPasswordValidityDays", 7),
        },
        "verified": sorted(pool.get("AutoVerifiedAttributes") or []),
        "verified_before_change": sorted(changes.get("AttributesRequireVerificationBeforeUpdate") or []),
        "recovery": [one["Name"] for one in sorted(mechanisms, key=lambda one: int(one["Priority"]))],
        "self_registration": not (pool.get("AdminCreateUserConfig") or {}).get("AllowAdminCreateUserOnly"),
        "deletion_protection": pool.get("DeletionProtection") == "ACTIVE",
        "triggers": {key: value for key, value in (pool.get("LambdaConfig") or {}).items() if value},
        "domain": pool.get("Domain") or "",
        "tags": map_tags(pool.get("UserPoolTags")),
    }


def settings(state: State, old: dict[str, Any]) -> dict[str, Any]:
    """A state in Cognito's words, on top of what the pool has (``old``, as an update takes it)."""
    policies = old.get("Policies") or {}
    password = state["password"]
    template = old.get("VerificationMessageTemplate") or {}
    doubles = {key for key, word in TEMPLATES.items() if template.get(word)}
    # It is what TemporaryPasswordValidityDays was called; Cognito refuses both at once.
    admin = {
        key: value
        for key, value in (old.get("AdminCreateUserConfig") or {}).items()
        if key != "UnusedAccountValidityDays" and value
    }
    return {
        **{key: value for key, value in old.items() if key not in doubles},
        "Policies": {
            **policies,
            "PasswordPolicy": {
                **(policies.get("PasswordPolicy") or {}),
                "MinimumLength": password["length"],
                **{word: kind in password["needs"] for kind, word in NEEDS.items()},
                "TemporaryPasswordValidityDays": password["temporary_days"],
            },
        },
        "AutoVerifiedAttributes": state["verified"],
        "UserAttributeUpdateSettings": {
            "AttributesRequireVerificationBeforeUpdate": state["verified_before_change"]
        },
        "AccountRecoverySetting": {
            "RecoveryMechanisms": [
                {"Name": name, "Priority": place} for place, name in enumerate(state["recovery"], 1)
            ]
        },
        "AdminCreateUserConfig": {**admin, "AllowAdminCreateUserOnly": not state["self_registration"]},
        "DeletionProtection": "ACTIVE" if state["deletion_protection"] else "INACTIVE",
        "LambdaConfig": state["triggers"],
        "UserPoolTags": state["tags"],
    }


class UserPool(Resource):
    """A user pool, by its name."""

    kind = "user pool"
    unseen = 1

    def __init__(self, module: AnsibleAWSModule) -> None:
        super().__init__(module)
        self.cognito = module.client("cognito-idp")
        self.found: dict[str, Any] = {}

    def read(self) -> State | None:
        """pool_id, arn, issuer, and everything that :meth:`desired` names."""
        pool_id = find_pool(self.module, self.cognito, self.name)
        answer = pool_id and ignore_absent(
            lambda: self.cognito.describe_user_pool(UserPoolId=pool_id), ABSENT
        )
        if not answer:
            return None
        self.found = answer["UserPool"]
        return {
            "pool_id": pool_id,
            "arn": self.found["Arn"],
            "issuer": issuer(self.cognito, str(pool_id)),
            **described(self.found),
        }

    def desired(self) -> State:
        """As the task says."""
        self.check()
        return {
            "sign_in": SIGN_IN,
            "password": {
                "length": self.params["password_length"],
                "needs": sorted(set(self.params["password_needs"])),
                "temporary_days": self.params["temporary_password_days"],
            },
            "verified": ["email"],
            "verified_before_change": ["email"],
            "recovery": ["verified_email"],
            "self_registration": self.params["self_registration"],
            "deletion_protection": self.params["deletion_protection"],
            "triggers": self.params["triggers"],
            "domain": self.params["domain"],
            "tags": text_tags(self.params["tags"]),
        }

    def check(self) -> None:
        """Raise InvalidInput for what Cognito does not take, or cannot change."""
        for option, least, most in (("password_length", 6, 99), ("temporary_password_days", 1, 365)):
            if not least <= self.params[option] <= most:
                raise InvalidInput(
                    f"{option} {self.params[option]} is none that Cognito takes",
                    f"set it to {least} to {most}",
                )
        domain = self.params["domain"]
        word = next((one for one in RESERVED if one in domain), "")
        if word:
            raise InvalidInput(f"the domain {domain} has the reserved word {word}", "choose one without it")
        if domain and not re.fullmatch(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?", domain):
            raise InvalidInput(
                f"the domain {domain} is none", "use small letters, digits and hyphens, 63 at most"
            )
        if self.found and described(self.found)["sign_in"] != SIGN_IN:
            raise InvalidInput(
                "there is one whose users do not sign in with their e-mail address, whatever its case, which "
                "Cognito cannot change",
                "give the pool another name, or remove that one with all its users",
            )

    def create(self, desired: State) -> None:
        """Make the pool, then its domain."""
        made = self.cognito.create_user_pool(
            PoolName=self.name,
            UsernameAttributes=SIGN_IN["attributes"],
            UsernameConfiguration={"CaseSensitive": SIGN_IN["case_sensitive"]},
            **settings(desired, {}),
        )["UserPool"]
        self.repair_domain(made["Id"], "", desired["domain"])

    def update(self, current: State, desired: State, changes: frozenset[str]) -> None:
        """Send the whole pool again, with what differs; tags and domain have calls of their own."""
        if changes - {"tags", "domain"}:
            self.send(current["pool_id"], desired)
        if "tags" in changes:
            by = {"ResourceArn": current["arn"]}
            repair_tags(
                current["tags"],
                desired["tags"],
                lambda tags: self.cognito.tag_resource(**by, Tags=tags),
                lambda keys: self.cognito.untag_resource(**by, TagKeys=keys),
            )
        self.repair_domain(current["pool_id"], current["domain"], desired["domain"])

    def send(self, pool_id: str, state: State) -> None:
        """Update the pool; what the state does not name stays as it was found."""
        old = kept(self.cognito, "UpdateUserPool", self.found)
        self.cognito.update_user_pool(UserPoolId=pool_id, **settings(state, old))

    def repair_domain(self, pool_id: str, current: str, desired: str) -> None:
        """Remove the address, make the other one."""
        if current and current != desired:
            self.cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=current)
        if desired and current != desired:
            self.cognito.create_user_pool_domain(UserPoolId=pool_id, Domain=desired)

    def delete(self, current: State) -> None:
        """Take off what keeps Cognito from it, then remove the pool with its users."""
        pool_id = current["pool_id"]
        if current["deletion_protection"]:
            self.send(pool_id, {**current, "deletion_protection": False})
        for domain in filter(None, (self.found.get("Domain"), self.found.get("CustomDomain"))):
            self.cognito.delete_user_pool_domain(UserPoolId=pool_id, Domain=domain)
        ignore_absent(lambda: self.cognito.delete_user_pool(UserPoolId=pool_id), ABSENT)
        wait_for(lambda: self.read() is None, "Cognito to remove the pool", 60)


def main() -> None:
    """Run the module."""
    run_module(
        UserPool,
        {
            "name": {"required": True},
            "password_length": {"type": "int", "default": 12, "no_log": False},
            "password_needs": {
                "type": "list",
                "elements": "str",
                "choices": list(NEEDS),
                "default": list(NEEDS),
                "no_log": False,
            },
            "temporary_password_days": {"type": "int", "default": 7, "no_log": False},
            "self_registration": {"type": "bool", "default": True},
            "deletion_protection": {"type": "bool", "default": True},
            "triggers": {"type": "dict", "default": {}},
            "domain": {"default": ""},
        },
    )


if __name__ == "__main__":
    main()
