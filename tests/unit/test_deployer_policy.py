"""The policy that README tells people to attach can be attached."""

import json
import re
from pathlib import Path

POLICY = Path(__file__).parents[2] / "docs/deployer-policy.json"
LARGEST_MANAGED_POLICY = 6144  # characters without white space: IAM User Guide, "IAM and AWS STS quotas"


def test_it_fits_into_one_managed_policy() -> None:
    assert len(re.sub(r"\s", "", POLICY.read_text())) <= LARGEST_MANAGED_POLICY


def test_no_statement_allows_everything() -> None:
    for statement in json.loads(POLICY.read_text())["Statement"]:
        assert "*" not in statement["Action"]
        assert not any(action.endswith(":*") for action in statement["Action"])
