"""How the ETL reaches the warehouse: the variables that it needs, and where a password may be."""

from __future__ import annotations

import pytest

from contract.settings import SettingsError
from etl.settings import Settings, runs_on_aws

ENVIRONMENT = {
    "RAW_BUCKET": "raw",
    "DWH_HOST": "10.0.128.10",
    "DWH_USER": "clickstream_loader",
    "DWH_DATABASE": "clickstream_dw",
    "DWH_PASSWORD_PARAMETER": "/clickstream/warehouse/loader_password",
    "DWH_CA_PARAMETER": "/clickstream/ca/certificate",
}


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
def test_a_missing_variable_is_refused_by_name(missing: str) -> None:
    environ = {name: value for name, value in ENVIRONMENT.items() if name != missing}
    environ["AWS_LAMBDA_FUNCTION_NAME"] = "SBW_Lamda_ETL"
    with pytest.raises(SettingsError, match=f"{missing} is not set. Fix:"):
        Settings.from_environment(environ)


@pytest.mark.parametrize(
    ("environ", "on_aws"),
    [
        ({}, False),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f"}, True),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_ENDPOINT_URL": ""}, True),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_ENDPOINT_URL": "https://vpce-1.ssm.amazonaws.com"}, True),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, False),
        ({"AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_ENDPOINT_URL": "http://amazonaws.com.example"}, False),
    ],
)
def test_a_password_in_the_environment_is_refused_on_aws_only(environ: dict[str, str], on_aws: bool) -> None:
    assert runs_on_aws(environ) is on_aws
    full = ENVIRONMENT | environ | {"DWH_PASSWORD": "secret"}
    if on_aws:
        with pytest.raises(SettingsError, match="DWH_PASSWORD is refused on AWS") as refused:
            Settings.from_environment(full)
        assert "secret" not in str(refused.value)
    else:
        settings = Settings.from_environment(full)
        assert settings.target.password == "secret"
        assert "secret" not in repr(settings)
