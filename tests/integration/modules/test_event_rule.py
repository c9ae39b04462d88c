"""The module event_rule: create, repair, remove."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.modules import Act
from tests.support.services import Cloud, gone, tag_map
from tests.support.tasks import FUNCTION_ARN, RULE, RULE_ARN, TAGS

BY_RULE = {"Name": "services-rule"}


@pytest.fixture
def rule(some_function: Cloud) -> Cloud:
    some_function.ok("event_rule", **RULE)
    return some_function


def assert_rule(cloud: Cloud) -> None:
    found = cloud.events.describe_rule(**BY_RULE)
    assert (found["ScheduleExpression"], found["State"], found["Description"]) == (
        "rate(1 hour)",
        "ENABLED",
        "Hourly",
    )
    assert not found.get("EventPattern")
    [target] = cloud.events.list_targets_by_rule(Rule="services-rule")["Targets"]
    assert (target["Arn"], json.loads(target["Input"])) == (FUNCTION_ARN, {"prefix": "events/"})
    assert tag_map(cloud.events.list_tags_for_resource(ResourceARN=RULE_ARN)["Tags"]) == TAGS


def test_a_rule_is_created(some_function: Cloud) -> None:
    some_function.converge("event_rule", **RULE)
    assert_rule(some_function)
    some_function.converge("event_rule", name="services-rule", state="absent")
    assert gone(lambda: some_function.events.describe_rule(**BY_RULE))


def put_target(**what: Any) -> Act:
    target = {"Id": "function", "Arn": FUNCTION_ARN, "Input": '{"prefix": "events/"}', **what}
    return lambda cloud: cloud.events.put_targets(Rule="services-rule", Targets=[target])


RULE_DRIFT: dict[str, Act] = {
    "disabled": lambda c: c.events.disable_rule(**BY_RULE),
    "another schedule": lambda c: c.events.put_rule(**BY_RULE, ScheduleExpression="rate(1 day)"),
    "another description": lambda c: c.events.put_rule(
        **BY_RULE, ScheduleExpression="rate(1 hour)", Description="?"
    ),
    "no target": lambda c: c.events.remove_targets(Rule="services-rule", Ids=["function"]),
    "the same target twice": put_target(Id="again"),
    "another function": put_target(Arn=f"{FUNCTION_ARN}-other"),
    "another input": put_target(Input="{}"),
    "fewer retries": put_target(RetryPolicy={"MaximumRetryAttempts": 0, "MaximumEventAgeInSeconds": 60}),
    "an extra tag": lambda c: c.events.tag_resource(ResourceARN=RULE_ARN, Tags=[{"Key": "x", "Value": "y"}]),
    "a missing tag": lambda c: c.events.untag_resource(ResourceARN=RULE_ARN, TagKeys=["Project"]),
}


@pytest.mark.parametrize("drift", RULE_DRIFT)
def test_a_rule_is_repaired(rule: Cloud, drift: str) -> None:
    RULE_DRIFT[drift](rule)
    rule.converge("event_rule", **RULE)
    assert_rule(rule)


def test_a_rule_waits_for_its_function(cloud: Cloud) -> None:
    cloud.pending("event_rule", **{**RULE, "name": "services-other", "function": "nobody", "needs": "nobody"})
