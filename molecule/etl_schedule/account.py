"""Role etl_schedule: when the ETL runs by itself."""

from __future__ import annotations

from tests.support.molecule.account import ACCOUNT, REGION, TAGS, client, make_function, tags

FUNCTION, RULE = "SBW_Lamda_ETL", "SBW_ETL_HOURLY_RULE"
MADE = [f"EventBridge rule {RULE}"]
BROKEN = [f"EventBridge rule {RULE}: enabled, schedule, targets"]


def prepare() -> None:
    """The function that it calls."""
    make_function(FUNCTION)


def verify() -> None:
    """Every hour, and nothing but the ETL."""
    rule = client("events").describe_rule(Name=RULE)
    assert (rule["ScheduleExpression"], rule["State"]) == ("rate(1 hour)", "ENABLED")
    assert not rule.get("EventPattern")
    [target] = client("events").list_targets_by_rule(Rule=RULE)["Targets"]
    assert target["Arn"] == f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{FUNCTION}"
    assert tags(client("events").list_tags_for_resource(ResourceARN=rule["Arn"])) == TAGS


def break_by_hand() -> None:
    """It runs once a day, calls another function besides, and is switched off."""
    events = client("events")
    events.put_rule(Name=RULE, ScheduleExpression="rate(1 day)")
    other = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:other"
    events.put_targets(Rule=RULE, Targets=[{"Id": "other", "Arn": other}])
    events.disable_rule(Name=RULE)
