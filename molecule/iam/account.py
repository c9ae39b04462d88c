"""Role iam: the IAM role of each part of the platform."""

from __future__ import annotations

import json
from typing import Any

from tests.support.molecule.account import ACCOUNT, OF_ACCOUNT, TAGS, client, tags

ANALYTICS, INGEST, ETL = "SBW_EC2_ShinyDWH-role", "clickstream-lambda-ingest-role", "SBW_Lamda_ETL-role"
ROLES = {
    ANALYTICS: (
        "ec2.amazonaws.com",
        {
            "Register",
            "Sessions",
            "MessagesOfOlderAgents",
            "Transcripts",
            "TranscriptsAreEncrypted",
            "AgentUpdates",
        },
    ),
    INGEST: ("lambda.amazonaws.com", {"Store", "Log"}),
    ETL: (
        "lambda.amazonaws.com",
        {
            "ListEvents",
            "ReadEvents",
            "ReadSecrets",
            "Log",
            "TellOfFailedRuns",
            "NetworkInterfaces",
            "NotTheCodeItself",
        },
    ),
}
"""Role → who may assume it, and the statements of its only policy."""
MADE = [f"IAM role {name}" for name in ROLES]
BROKEN = [
    f"IAM role {ANALYTICS}: permissions_boundary",
    f"IAM role {INGEST}: inline_policies",
    f"IAM role {ETL}: managed_policies, trust",
]
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/clickstream-role-boundary"


def statements(role: str) -> list[dict[str, Any]]:
    """The statements of a role's policy."""
    return list(
        client("iam").get_role_policy(RoleName=role, PolicyName="needs")["PolicyDocument"]["Statement"]
    )


def verify() -> None:
    """One service may assume each; its one policy grants no more on everything than Lambda asks for."""
    iam = client("iam")
    for name, (service, sids) in ROLES.items():
        role = iam.get_role(RoleName=name)["Role"]
        [trust] = role["AssumeRolePolicyDocument"]["Statement"]
        assert (trust["Effect"], trust["Action"], trust["Principal"]) == (
            "Allow",
            "sts:AssumeRole",
            {"Service": service},
        )
        assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == BOUNDARY
        assert iam.list_role_policies(RoleName=name)["PolicyNames"] == ["needs"]
        assert iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"] == []
        assert {one["Sid"] for one in statements(name)} == sids
        free = {one["Sid"] for one in statements(name) if one["Resource"] == "*" and "Condition" not in one}
        assert free == ({"NetworkInterfaces"} if name == ETL else set())  # Lambda refuses a narrower right
        assert not any("*" in json.dumps(one["Action"]) for one in statements(name))
        assert tags(iam.list_role_tags(RoleName=name)) == TAGS
    profiles = iam.list_instance_profiles()["InstanceProfiles"]
    assert {one["InstanceProfileName"]: [role["RoleName"] for role in one["Roles"]] for one in profiles} == {
        ANALYTICS: [ANALYTICS]
    }
    [store] = [one for one in statements(INGEST) if one["Sid"] == "Store"]
    raw = f"arn:aws:s3:::clickstream-s3-ingest{OF_ACCOUNT}"
    assert (store["Action"], store["Resource"]) == ("s3:PutObject", [f"{raw}/events/*", f"{raw}/rejected/*"])


def break_by_hand() -> None:
    """The host's role has no boundary, and the ingest function may delete.

    The ETL's role is an administrator's, and anybody's of the account.
    """
    iam = client("iam")
    more = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:DeleteObject", "Resource": "*"}],
    }
    iam.delete_role_permissions_boundary(RoleName=ANALYTICS)
    iam.put_role_policy(RoleName=INGEST, PolicyName="console", PolicyDocument=json.dumps(more))
    iam.attach_role_policy(RoleName=ETL, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "sts:AssumeRole",
    }
    trust = {"Version": "2012-10-17", "Statement": [root]}
    iam.update_assume_role_policy(RoleName=ETL, PolicyDocument=json.dumps(trust))
