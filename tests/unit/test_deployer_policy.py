"""The policies that README tells people to attach can be attached."""

import fnmatch
import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
DEPLOYER = sorted((PROJECT / "docs/deployer").glob("*.json"))
BOUNDARY = PROJECT / "docs/role-boundary.json"
VIEWER = PROJECT / "docs/dashboard-viewer-policy.json"
LARGEST_MANAGED_POLICY = 6144  # characters without white space: IAM User Guide, "IAM and AWS STS quotas"
MANAGED_POLICIES = 10  # of a user or a role: the same page


def statements(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text())["Statement"]
    return found


def test_they_are_few_enough_for_one_identity() -> None:
    assert 0 < len(DEPLOYER) <= MANAGED_POLICIES


@pytest.mark.parametrize("file", [*DEPLOYER, BOUNDARY, VIEWER], ids=lambda file: file.stem)
def test_it_fits_into_one_managed_policy(file: Path) -> None:
    assert len(re.sub(r"\s", "", file.read_text())) <= LARGEST_MANAGED_POLICY


@pytest.mark.parametrize("file", [*DEPLOYER, BOUNDARY, VIEWER], ids=lambda file: file.stem)
def test_no_statement_allows_everything(file: Path) -> None:
    for statement in statements(file):
        assert "*" not in statement["Action"]
        assert not any(action.endswith(":*") for action in statement["Action"])


@pytest.mark.parametrize(
    "file", [PROJECT / "docs/deployer/sessions.json", VIEWER], ids=lambda file: file.stem
)
def test_a_session_can_be_opened_and_ended_by_a_user_an_assumed_role_and_sso(file: Path) -> None:
    """A session's ARN holds only the end of an assumed role's aws:userid; AWS's tag holds all of it."""
    found = {action: one for one in statements(file) for action in one["Action"]}
    assert found["ssmmessages:OpenDataChannel"]["Resource"] == "*"  # it has no resource types
    for action in ("ssm:ResumeSession", "ssm:TerminateSession"):
        assert found[action]["Resource"] == ["arn:aws:ssm:ap-southeast-1:*:session/*"]
        assert found[action]["Condition"] == {
            "StringLike": {"ssm:resourceTag/aws:ssmmessages:session-id": ["${aws:userid}"]}
        }


BOUNDED = {"iam:PermissionsBoundary": "arn:aws:iam::${aws:PrincipalAccount}:policy/clickstream-role-boundary"}
RULES = ["arn:aws:iam::*:policy/clickstream-role-boundary", "arn:aws:iam::*:policy/clickstream-deployer-*"]


@pytest.mark.parametrize(
    "action",
    [
        "CreateRole",
        "PutRolePolicy",
        "AttachRolePolicy",
        "PutRolePermissionsBoundary",
        "UpdateAssumeRolePolicy",
    ],
)
def test_what_gives_rights_to_a_role_is_allowed_only_within_the_boundary(action: str) -> None:
    allowing = [
        one
        for file in DEPLOYER
        for one in statements(file)
        if one["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(f"iam:{action}", rule) for rule in one["Action"])
    ]
    assert [one["Condition"]["StringEquals"] for one in allowing] == [BOUNDED]


@pytest.mark.parametrize(
    "action",
    [
        *("AssociateIamInstanceProfile", "DisassociateIamInstanceProfile", "TerminateInstances"),
        "ReplaceIamInstanceProfileAssociation",
    ],
)
def test_no_instance_but_the_platform_s_is_changed(action: str) -> None:
    allowing = [
        one
        for file in DEPLOYER
        for one in statements(file)
        if one["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(f"ec2:{action}", rule) for rule in one["Action"])
    ]
    host = {"aws:ResourceTag/Name": defaults()["platform_analytics_instance_name"]}
    assert [one["Condition"] for one in allowing] == [{"StringEquals": host}]


def test_the_boundary_and_the_deployer_s_own_policies_are_denied_to_it() -> None:
    denied = [one for one in statements(PROJECT / "docs/deployer/roles.json") if one["Effect"] == "Deny"]
    [gone] = [one for one in denied if "iam:DeleteRolePermissionsBoundary" in one["Action"]]
    assert gone["Resource"] == "*" and "Condition" not in gone
    for action in ("CreatePolicyVersion", "SetDefaultPolicyVersion", "DeletePolicy", "CreatePolicy"):
        [rules] = [one for one in denied if f"iam:{action}" in one["Action"]]
        assert rules["Resource"] == RULES and "Condition" not in rules
    for action in ("AttachUserPolicy", "DetachUserPolicy", "PutUserPolicy", "DeleteUserPolicy"):
        assert any(
            f"iam:{action}" in one["Action"] and one["Resource"] == "arn:aws:iam::*:user/${aws:username}"
            for one in denied
        )


def test_a_viewer_gets_no_shell() -> None:
    """Without the check of the document a session with none named is a shell: AWS's own document is used."""
    starts = [one for one in statements(VIEWER) if "ssm:StartSession" in one["Action"]]
    documents = [arn for one in starts for arn in one["Resource"] if ":document/" in arn]
    assert documents == ["arn:aws:ssm:ap-southeast-1::document/AWS-StartPortForwardingSession"]
    [instance] = [one for one in starts if ":instance/" in one["Resource"][0]]
    assert instance["Condition"] == {
        "StringEquals": {"aws:ResourceTag/Name": defaults()["platform_analytics_instance_name"]},
        "BoolIfExists": {"ssm:SessionDocumentAccessCheck": "true"},
    }


def defaults() -> dict[str, str]:
    """The platform's names with the references among them filled in."""
    values = yaml.safe_load((PROJECT / "roles/platform/defaults/main.yml").read_text())
    for _ in range(3):
        for name, text in values.items():
            if isinstance(text, str):
                values[name] = re.sub(r"{{ (\w+) }}", lambda ref: str(values[ref.group(1)]), text)
    return values


def arns() -> list[tuple[str, str]]:
    """An action on every kind of resource, with the ARN that the default names give it."""
    names = defaults()
    region, account = names["platform_region"], "123456789012"
    roles = [value for name, value in names.items() if name.endswith("_role_name")]
    functions = [names["platform_ingest_function"], names["platform_etl_function"]]
    logs = [f"/aws/lambda/{name}" for name in functions]
    logs.append(f"/aws/vendedlogs/apigateway/{names['platform_api_name']}")
    return [
        *[("iam:GetRole", f"arn:aws:iam::{account}:role/{role}") for role in roles],
        *[("iam:GetInstanceProfile", f"arn:aws:iam::{account}:instance-profile/{role}") for role in roles],
        *[("s3:CreateBucket", f"arn:aws:s3:::{v}") for n, v in names.items() if n.endswith("_bucket")],
        *[
            ("lambda:CreateFunction", f"arn:aws:lambda:{region}:{account}:function:{name}")
            for name in functions
        ],
        *[("logs:CreateLogGroup", f"arn:aws:logs:{region}:{account}:log-group:{name}") for name in logs],
        ("sqs:CreateQueue", f"arn:aws:sqs:{region}:{account}:{names['platform_failed_runs_queue']}"),
        ("cognito-idp:CreateUserPoolClient", f"arn:aws:cognito-idp:{region}:{account}:userpool/{region}_1"),
        ("events:PutRule", f"arn:aws:events:{region}:{account}:rule/{names['platform_schedule_name']}"),
        *[
            ("ssm:PutParameter", f"arn:aws:ssm:{region}:{account}:parameter{value}")
            for name, value in names.items()
            if name.endswith("_parameter")
        ],
        ("ssm:CreateDocument", f"arn:aws:ssm:{region}:{account}:document/clickstream-operator"),
        ("ssm:StartSession", f"arn:aws:ssm:{region}:{account}:document/clickstream-ansible"),
    ]


@pytest.mark.parametrize(("action", "arn"), arns())
def test_every_default_name_is_one_that_it_admits(action: str, arn: str) -> None:
    assert any(
        statement["Effect"] == "Allow"
        and any(fnmatch.fnmatchcase(action, one) for one in statement["Action"])
        and any(fnmatch.fnmatchcase(arn, one) for one in statement["Resource"])
        for file in DEPLOYER
        for statement in statements(file)
    )
