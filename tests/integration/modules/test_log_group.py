"""The module log_group: create, repair, remove."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.modules import Act
from tests.support.services import Cloud
from tests.support.tasks import ACCOUNT, GROUP, REGION, TAGS


def log_group(cloud: Cloud) -> dict[str, Any] | None:
    groups = cloud.logs.describe_log_groups(logGroupNamePrefix="/services/log")["logGroups"]
    return next((group for group in groups if group["logGroupName"] == "/services/log"), None)


def log_arn() -> str:
    return f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/services/log"


def assert_log_group(cloud: Cloud) -> None:
    found = log_group(cloud)
    assert found is not None and found["retentionInDays"] == 30
    assert cloud.logs.list_tags_for_resource(resourceArn=log_arn())["tags"] == TAGS


def test_a_log_group_is_created(cloud: Cloud) -> None:
    cloud.logs.create_log_group(logGroupName="/services/log-of-another-name")
    cloud.converge("log_group", **GROUP)
    assert_log_group(cloud)


LOG_DRIFT: dict[str, Act] = {
    "kept for ever": lambda c: c.logs.delete_retention_policy(logGroupName="/services/log"),
    "kept for a day": lambda c: c.logs.put_retention_policy(logGroupName="/services/log", retentionInDays=1),
    "a tag is extra": lambda c: c.logs.tag_resource(resourceArn=log_arn(), tags={"x": "y"}),
    "a tag is gone": lambda c: c.logs.untag_resource(resourceArn=log_arn(), tagKeys=["Project"]),
}


@pytest.mark.parametrize("drift", LOG_DRIFT)
def test_a_log_group_is_repaired(cloud: Cloud, drift: str) -> None:
    cloud.ok("log_group", **GROUP)
    LOG_DRIFT[drift](cloud)
    cloud.converge("log_group", **GROUP)
    assert_log_group(cloud)


def test_a_log_group_goes(cloud: Cloud) -> None:
    cloud.ok("log_group", **GROUP)
    cloud.converge("log_group", name="/services/log", state="absent")
    assert log_group(cloud) is None
