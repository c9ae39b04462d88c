"""The policy that README tells people to attach can be attached."""

import fnmatch
import json
import re
from pathlib import Path

import pytest
import yaml

POLICY = Path(__file__).parents[2] / "docs/deployer-policy.json"
LARGEST_MANAGED_POLICY = 6144  # characters without white space: IAM User Guide, "IAM and AWS STS quotas"


def test_it_fits_into_one_managed_policy() -> None:
    assert len(re.sub(r"\s", "", POLICY.read_text())) <= LARGEST_MANAGED_POLICY


def test_no_statement_allows_everything() -> None:
    for statement in json.loads(POLICY.read_text())["Statement"]:
        assert "*" not in statement["Action"]
        assert not any(action.endswith(":*") for action in statement["Action"])


def defaults() -> dict[str, str]:
    """The platform's names with the references among them filled in."""
    values = yaml.safe_load((POLICY.parents[1] / "roles/platform/defaults/main.yml").read_text())
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
    statements = json.loads(POLICY.read_text())["Statement"]
    assert any(
        any(fnmatch.fnmatchcase(action, one) for one in statement["Action"])
        and any(fnmatch.fnmatchcase(arn, one) for one in statement["Resource"])
        for statement in statements
    )
