"""The module vpc_endpoint: AWS's default policy in all its forms."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.modules.vpc_endpoint import DEFAULT_POLICY, endpoint_policy


@pytest.mark.parametrize(
    "document",
    [
        None,
        "",
        '{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"*","Resource":"*"}]}',
        {"Statement": {"Action": ["*"], "Effect": "Allow", "Principal": "*", "Resource": ["*"]}},
    ],
)
def test_aws_s_default_policy_is_known_in_all_its_forms(document: Any) -> None:
    assert endpoint_policy(document) == DEFAULT_POLICY


def test_another_policy_is_not_the_default() -> None:
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}
    assert endpoint_policy({"Statement": [statement]}) != DEFAULT_POLICY
