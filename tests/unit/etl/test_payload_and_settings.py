"""What a call may ask of the ETL, and what its environment must say."""

from __future__ import annotations

from typing import Any

import pytest

from contract.settings import SettingsError
from etl.payload import PayloadError, Selection, read_payload
from etl.settings import Settings, runs_on_aws

ENVIRONMENT = {
    "RAW_BUCKET": "raw",
    "DWH_HOST": "10.0.128.10",
    "DWH_USER": "clickstream_loader",
    "DWH_DATABASE": "clickstream_dw",
    "DWH_PASSWORD_PARAMETER": "/clickstream/warehouse/loader_password",
    "DWH_CA_PARAMETER": "/clickstream/ca/certificate",
}


@pytest.mark.parametrize(
    ("payload", "selection"),
    [
        (None, Selection(arrived=True)),
        ({}, Selection(arrived=True)),
        ({"detail-type": "Scheduled Event", "source": "aws.events", "time": "x"}, Selection(arrived=True)),
        ({"after": "events/2025/k"}, Selection(after="events/2025/k", arrived=True)),
        ({"reprocess": True}, Selection(reprocess=True)),
        ({"prefix": "events/2025/12/06/05/"}, Selection("events/2025/12/06/05/")),
        (
            {"start": "2025-12-06T05:10:00Z", "end": "2025-12-06T07:00:00Z"},
            Selection(after="events/2025/12/06/05", before="events/2025/12/06/07"),
        ),
        ({"end": "2025-12-06T23:00:01+07:00"}, Selection(before="events/2025/12/06/17")),
        (
            {"start": "2025-12-06T05:00:00Z", "after": "events/2025/12/06/06/k", "reprocess": True},
            Selection(after="events/2025/12/06/06/k", reprocess=True),
        ),
    ],
)
def test_payloads(payload: Any, selection: Selection) -> None:
    assert read_payload(payload)[0] == selection


def test_a_folder_lies_before_its_keys_and_after_those_of_earlier_hours() -> None:
    selection, _ = read_payload({"start": "2025-12-06T05:00:00Z", "end": "2025-12-06T06:00:00Z"})
    assert selection.before is not None
    assert "events/2025/12/06/04/event-z.json" < selection.after < "events/2025/12/06/05/event-0.json"
    assert "events/2025/12/06/05/event-z.json" < selection.before < "events/2025/12/06/06/event-0.json"


@pytest.mark.parametrize(
    "payload",
    [
        [],
        "x",
        {"prefx": "events/"},
        {"prefix": "other/"},
        {"replay": True, "prefix": "events/"},
        {"prefix": 5},
        {"prefix": "events/", "start": "2025-12-06"},
        {"start": "yesterday"},
        {"start": "2025-12-06T05:00:00Z", "end": "2025-12-06T05:00:00Z"},
        {"reprocess": "yes"},
    ],
)
def test_payloads_that_cannot_be(payload: Any) -> None:
    with pytest.raises(PayloadError):
        read_payload(payload)


@pytest.mark.parametrize("missing", sorted(ENVIRONMENT))
def test_what_is_missing_is_named(missing: str) -> None:
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
def test_the_password_in_the_environment_is_for_elsewhere(environ: dict[str, str], on_aws: bool) -> None:
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
