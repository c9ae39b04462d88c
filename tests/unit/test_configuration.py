"""Wrong variables are told, with the fix, before anything is touched."""

from pathlib import Path

import pytest
import yaml

from ansible_collections.clickstream.aws.plugins.filter.configuration import configuration_errors

DEFAULTS = Path(__file__).parents[2] / "roles/platform/defaults/main.yml"


def variables(**overrides: object) -> dict[str, object]:
    """The defaults with their simple references filled in, and some of them changed."""
    values = yaml.safe_load(
        DEFAULTS.read_text().replace("{{ account_id | default('ACCOUNT') }}", "123456789012")
    )
    for _ in range(3):
        for name, value in values.items():
            if isinstance(value, str):
                for other, text in values.items():
                    value = value.replace("{{ " + other + " }}", str(text))
                values[name] = value
    return values | overrides


def test_the_defaults_are_all_right() -> None:
    assert configuration_errors(variables()) == []


@pytest.mark.parametrize(
    ("overrides", "names"),
    [
        ({"platform_region": "singapore"}, "platform_region"),
        ({"platform_zone": "eu-central-1a"}, "platform_zone"),
        ({"platform_time_zone": "GMT+7"}, "platform_time_zone"),
        ({"platform_currency": "dong"}, "platform_currency"),
        ({"platform_max_events_a_visitor_day": 0}, "platform_max_events_a_visitor_day"),
        ({"platform_vpc_cidr": "10.0.0.0"}, "platform_vpc_cidr"),
        ({"platform_vpc_cidr": "10.0.0.0/33"}, "platform_vpc_cidr"),
        ({"platform_vpc_cidr": "10.0.0.0/8"}, "platform_vpc_cidr"),
        ({"platform_private_subnet_cidr": "10.1.0.0/20"}, "platform_private_subnet_cidr"),
        ({"platform_private_subnet_cidr": "10.0.8.0/21"}, "overlap"),
        ({"platform_analytics_private_ip": "10.0.128.3"}, "platform_analytics_private_ip"),
        ({"platform_analytics_private_ip": "10.0.143.255"}, "platform_analytics_private_ip"),
        ({"platform_analytics_private_ip": "ten"}, "platform_analytics_private_ip"),
        ({"platform_raw_bucket": "Clickstream"}, "platform_raw_bucket"),
        ({"platform_raw_bucket": "10.0.0.1"}, "platform_raw_bucket"),
        ({"platform_raw_bucket": "b", "platform_media_bucket": "b"}, "platform_media_bucket"),
        ({"platform_raw_bucket": f"{'a' * 33}-123456789012-ap-southeast-1-an"}, "platform_raw_bucket"),
        ({"platform_raw_bucket": "raw-123456789012-eu-central-1-an"}, "platform_raw_bucket"),
        (
            {
                "platform_region": "me-south-1",
                "platform_zone": "me-south-1a",
                "platform_raw_bucket": "raw-123456789012-me-south-1-an",
            },
            "platform_raw_bucket",
        ),
        ({"platform_etl_security_group": "sg_oltp_WebDB"}, "platform_etl_security_group"),
        ({"platform_dashboard_port": 5432}, "platform_dashboard_port"),
        ({"platform_region": 9}, "platform_region"),
        ({"platform_zone": 9}, "platform_zone"),
        ({"platform_time_zone": []}, "platform_time_zone"),
        ({"platform_vpc_cidr": []}, "platform_vpc_cidr"),
        ({"platform_parameter_prefix": 9}, "platform_parameter_prefix"),
        ({"platform_role_boundary": ""}, "platform_role_boundary"),
        ({"platform_role_boundary": "clickstream-role-boundary"}, "platform_role_boundary"),
        ({"platform_cors_origins": []}, "platform_cors_origins"),
        ({"platform_cors_origins": ["*"]}, "platform_cors_origins"),
        ({"platform_cors_origins": "https://shop.example"}, "platform_cors_origins is 'https"),
        ({"platform_cors_origins": [1]}, "platform_cors_origins"),
        ({"platform_cors_origins": ["https://shop.example/"]}, "platform_cors_origins"),
        ({"platform_parameter_prefix": "clickstream"}, "platform_parameter_prefix"),
        ({"platform_parameter_prefix": "/aws/x"}, "platform_parameter_prefix"),
    ],
)
def test_a_wrong_value_is_told_with_its_fix(overrides: dict[str, object], names: str) -> None:
    errors = configuration_errors(variables(**overrides))
    assert errors
    assert any(names in error for error in errors)
    assert all("Fix:" in error for error in errors)


def test_all_faults_are_told_at_once() -> None:
    errors = configuration_errors(
        variables(platform_zone="x", platform_cors_origins=[], platform_vpc_cidr="y")
    )
    assert len(errors) == 3
