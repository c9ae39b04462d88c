"""The module caller_info: what is said where nobody may or can work."""

from __future__ import annotations

import io
import json
import os
from contextlib import redirect_stdout
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from botocore.exceptions import EndpointConnectionError, SSOTokenLoadError

from ansible_collections.clickstream.aws.plugins.modules.caller_info import main, partition_error, unreachable
from tests.support.fakes import error


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov", "aws-eusc"])
def test_another_partition_is_refused_with_a_sentence(partition: str) -> None:
    said = partition_error(f"arn:{partition}:iam::123456789012:user/alice")
    assert f"partition {partition}" in said and "Fix:" in said
    assert partition_error("arn:aws:iam::123456789012:user/alice") == ""


@pytest.mark.parametrize(
    ("problem", "says"),
    [
        (SSOTokenLoadError(profile_name="a", error_msg="none"), "aws sso login"),
        (EndpointConnectionError(endpoint_url="http://127.0.0.1:9"), "AWS_ENDPOINT_URL"),
        (error("ExpiredToken"), "renew the credentials"),
        (error("InvalidClientTokenId"), "enabled in the account"),
    ],
)
def test_what_is_wrong_with_the_credentials_has_its_own_fix(problem: Exception, says: str) -> None:
    said = unreachable(problem, "ap-southeast-1")
    assert says in said and "Fix:" in said


KEY, SECRET = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE"}, {"AWS_SECRET_ACCESS_KEY": "a-secret-of-nobody"}


@pytest.mark.parametrize(
    ("environment", "says"),
    [
        ({}, "No credentials"),
        ({"AWS_PROFILE": "shop"}, "The config profile (shop) could not be found"),
        (KEY, "missing: aws_secret_access_key"),
        (SECRET, "missing: aws_access_key_id"),
        ({**KEY, **SECRET, "AWS_PROFILE": "shop"}, "both set"),
        ({**KEY, **SECRET, "AWS_ENDPOINT_URL": "http://127.0.0.1:1"}, "cannot be reached"),
        ({**KEY, **SECRET, "AWS_ENDPOINT_URL": "nonsense"}, "Invalid endpoint"),
    ],
)
def test_wrong_credentials_end_the_module_with_their_fix(
    environment: dict[str, str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    nobody = {f"AWS_{name}_FILE": str(tmp_path / "none") for name in ("CONFIG", "SHARED_CREDENTIALS")}
    for name, value in {**nobody, "AWS_EC2_METADATA_DISABLED": "true", **environment}.items():
        monkeypatch.setenv(name, value)
    said = io.StringIO()
    with patch_module_args({"region": "ap-southeast-9"}), redirect_stdout(said), pytest.raises(SystemExit):
        main()
    told = json.loads(said.getvalue().splitlines()[-1])["msg"]
    assert says in told and "Fix:" in told
    if "cannot be reached" in told:
        assert "ap-southeast-9 is no region" in told and "platform_region" in told
