"""The module caller_info: what is said where nobody may or can work."""

from __future__ import annotations

import pytest
from botocore.exceptions import EndpointConnectionError, NoCredentialsError

from ansible_collections.clickstream.aws.plugins.modules.caller_info import partition_error, unreachable
from tests.support.fakes import error


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc"])
def test_another_partition_is_refused_with_a_sentence(partition: str) -> None:
    said = partition_error(f"arn:{partition}:iam::123456789012:user/alice")
    assert f"partition {partition}" in said and "Fix:" in said
    assert partition_error("arn:aws:iam::123456789012:user/alice") == ""


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (NoCredentialsError(), "aws sso login"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "AWS_ENDPOINT_URL"),
        (error("ExpiredToken"), "renew the credentials"),
    ],
)
def test_what_is_wrong_with_the_credentials_has_its_own_fix(problem: Exception, says: str) -> None:
    assert says in unreachable(problem) and "Fix:" in unreachable(problem)
