"""The module secret_parameter: create, repair, remove, and never show a value."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.services import Cloud, gone, tag_map
from tests.support.tasks import GENERATED, TAGS

GIVEN = {"name": "/services/key", "value": "-----BEGIN KEY-----\nc2VjcmV0\n", "tags": TAGS}


def stored(cloud: Cloud, name: str) -> dict[str, Any]:
    return dict(cloud.ssm.get_parameter(Name=name, WithDecryption=True)["Parameter"])


def description(cloud: Cloud, name: str) -> dict[str, Any]:
    by = [{"Key": "Name", "Values": [name]}]
    [found] = cloud.ssm.describe_parameters(ParameterFilters=by)["Parameters"]
    return dict(found)


def parameter_tags(cloud: Cloud, name: str) -> dict[str, str]:
    return tag_map(cloud.ssm.list_tags_for_resource(ResourceType="Parameter", ResourceId=name)["TagList"])


def test_a_secret_is_made_once_and_never_shown(cloud: Cloud) -> None:
    told = cloud.ok("secret_parameter", check=True, **GENERATED)
    done = cloud.converge("secret_parameter", **GENERATED)
    found = stored(cloud, "/services/password")
    assert found["Type"] == "SecureString" and len(found["Value"]) == 32 and found["Value"].isalnum()
    assert found["Value"] not in json.dumps([told, done])
    assert "(secret)" in json.dumps(told["diff"]) and "value" not in done["resource"]
    assert description(cloud, "/services/password")["Description"] == "A password"
    assert parameter_tags(cloud, "/services/password") == TAGS
    cloud.ok("secret_parameter", **{**GENERATED, "generate": {"length": 50}})
    assert stored(cloud, "/services/password") == found, "a secret that exists is kept"


def test_a_given_secret_is_stored_and_repaired(cloud: Cloud) -> None:
    cloud.converge("secret_parameter", **GIVEN)
    assert stored(cloud, "/services/key")["Value"] == GIVEN["value"]
    cloud.ssm.put_parameter(Name="/services/key", Value="other", Type="SecureString", Overwrite=True)
    done = cloud.converge("secret_parameter", **GIVEN)
    assert stored(cloud, "/services/key")["Value"] == GIVEN["value"]
    assert "other" not in json.dumps(done) and "c2VjcmV0" not in json.dumps(done)


def test_several_secrets_are_one_task_that_shows_none(cloud: Cloud) -> None:
    both = {
        "each": [
            {"name": "/services/both/password", "generate": {"length": 20}},
            {"name": "/services/both/key", "value": GIVEN["value"], "description": "A key"},
        ],
        "tags": TAGS,
    }
    done = cloud.converge("secret_parameter", **both)
    made = stored(cloud, "/services/both/password")["Value"]
    assert len(made) == 20 and stored(cloud, "/services/both/key")["Value"] == GIVEN["value"]
    assert made not in json.dumps(done) and "c2VjcmV0" not in json.dumps(done)
    assert parameter_tags(cloud, "/services/both/key") == TAGS
    assert description(cloud, "/services/both/key")["Description"] == "A key"


def test_several_secrets_are_refused_before_one_is_made(cloud: Cloud) -> None:
    good = {"name": "/services/good", "generate": {}}
    both = {"name": "/services/bad", "value": "hush-hush", "generate": {}}
    result = cloud.run("secret_parameter", each=[good, both])
    assert result["failed"] and "each[1]: parameters are mutually exclusive: value|generate" in result["msg"]
    assert gone(lambda: stored(cloud, "/services/good"))


@pytest.mark.parametrize(
    "arguments", [GENERATED, {"name": "/services/password", "description": "A password", "tags": TAGS}]
)
def test_description_and_tags_of_a_secret_are_repaired(cloud: Cloud, arguments: dict[str, Any]) -> None:
    cloud.ok("secret_parameter", **GENERATED)
    value = stored(cloud, "/services/password")["Value"]
    cloud.ssm.put_parameter(
        Name="/services/password", Value=value, Type="SecureString", Overwrite=True, Description="?"
    )
    cloud.ssm.add_tags_to_resource(
        ResourceType="Parameter", ResourceId="/services/password", Tags=[{"Key": "x", "Value": "y"}]
    )
    cloud.ssm.remove_tags_from_resource(
        ResourceType="Parameter", ResourceId="/services/password", TagKeys=["Project"]
    )
    cloud.converge("secret_parameter", **arguments)
    assert stored(cloud, "/services/password")["Value"] == value
    assert description(cloud, "/services/password")["Description"] == "A password"
    assert parameter_tags(cloud, "/services/password") == TAGS


def test_a_parameter_in_clear_text_is_an_error_with_the_fix(cloud: Cloud) -> None:
    cloud.ssm.put_parameter(Name="/services/clear", Value="x", Type="String")
    result = cloud.run("secret_parameter", name="/services/clear", generate={"length": 20})
    assert (
        result["failed"]
        and "aws ssm delete-parameter --region ap-southeast-1 --name /services/clear" in result["msg"]
    )


def test_a_secret_without_a_value_must_exist(cloud: Cloud) -> None:
    assert cloud.ok("secret_parameter", check=True, name="/services/none")["exists"] is False
    result = cloud.run("secret_parameter", name="/services/none")
    assert result["failed"] and "Fix:" in result["msg"]


def test_a_secret_goes(cloud: Cloud) -> None:
    cloud.ok("secret_parameter", **GENERATED)
    cloud.converge("secret_parameter", name="/services/password", state="absent")
    assert gone(lambda: stored(cloud, "/services/password"))
