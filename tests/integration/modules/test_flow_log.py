"""The module flow_log: create, repair, remove; and where AWS does not take the bucket."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.clickstream.aws.plugins.modules import flow_log as module
from tests.support.modules import Act
from tests.support.services import Cloud, tag_map
from tests.support.tasks import ACCOUNT, FLOW_LOG, LOG_BUCKET, TAGS

NAME, VPC = FLOW_LOG["name"], FLOW_LOG["vpc"]
DESTINATION = f"arn:aws:s3:::{LOG_BUCKET['name']}/flow-logs"


def vpc_id(cloud: Cloud) -> str:
    [vpc] = cloud.ec2.describe_vpcs(Filters=[{"Name": "tag:Name", "Values": [VPC]}])["Vpcs"]
    return str(vpc["VpcId"])


def flow_logs(cloud: Cloud) -> list[dict[str, Any]]:
    by = [{"Name": "resource-id", "Values": [vpc_id(cloud)]}]
    return list(cloud.ec2.describe_flow_logs(Filter=by)["FlowLogs"])


@pytest.fixture
def vpc(cloud: Cloud) -> Iterator[Cloud]:
    """The VPC, the bucket that takes logs, and a flow log of another VPC."""
    cloud.ok("bucket", **LOG_BUCKET)
    for name, cidr in ((VPC, "10.77.0.0/16"), ("flow-other", "10.78.0.0/16")):
        cloud.ok("vpc", name=name, cidr=cidr)
    cloud.ok("flow_log", **{**FLOW_LOG, "name": "flow-other-refused", "vpc": "flow-other"})
    yield cloud
    for one in flow_logs(cloud):
        cloud.ec2.delete_flow_logs(FlowLogIds=[one["FlowLogId"]])


@pytest.fixture
def flow_log(vpc: Cloud) -> Cloud:
    vpc.ok("flow_log", **FLOW_LOG)
    return vpc


def assert_flow_log(cloud: Cloud) -> None:
    [found] = flow_logs(cloud)
    assert (found["TrafficType"], found["MaxAggregationInterval"]) == ("REJECT", 600)
    assert (found["LogDestinationType"], found["LogDestination"]) == ("s3", f"{DESTINATION}/")
    assert tag_map(found["Tags"]) == {**TAGS, "Name": NAME}


def test_a_flow_log_is_created(vpc: Cloud) -> None:
    vpc.converge("flow_log", **FLOW_LOG)
    assert_flow_log(vpc)


def made_again(**changes: Any) -> Act:
    """By hand it is another one of the same name."""

    def act(cloud: Cloud) -> None:
        [found] = flow_logs(cloud)
        cloud.ec2.delete_flow_logs(FlowLogIds=[found["FlowLogId"]])
        given = {
            "LogDestination": f"{DESTINATION}/",
            "TrafficType": "REJECT",
            "MaxAggregationInterval": 600,
            **changes,
        }
        cloud.ec2.create_flow_logs(
            ResourceType="VPC",
            ResourceIds=[vpc_id(cloud)],
            LogDestinationType="s3",
            TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": found["Tags"]}],
            **given,
        )

    return act


DRIFT: dict[str, Act] = {
    "it records what passes": made_again(TrafficType="ACCEPT"),
    "it counts by the minute": made_again(MaxAggregationInterval=60),
    "it goes elsewhere": made_again(LogDestination=f"{DESTINATION}-of-another/"),
    "its name is gone": lambda c: c.ec2.delete_tags(
        Resources=[flow_logs(c)[0]["FlowLogId"]], Tags=[{"Key": "Name"}]
    ),
    "a tag is extra": lambda c: c.ec2.create_tags(
        Resources=[flow_logs(c)[0]["FlowLogId"]], Tags=[{"Key": "x", "Value": "y"}]
    ),
    "it is gone": lambda c: c.ec2.delete_flow_logs(FlowLogIds=[flow_logs(c)[0]["FlowLogId"]]),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_a_flow_log_is_repaired(flow_log: Cloud, drift: str) -> None:
    DRIFT[drift](flow_log)
    flow_log.converge("flow_log", **FLOW_LOG)
    assert_flow_log(flow_log)


def test_a_flow_log_goes_and_that_of_another_network_stays(flow_log: Cloud) -> None:
    flow_log.converge("flow_log", name=NAME, state="absent")
    assert flow_logs(flow_log) == []
    everything = flow_log.ec2.describe_flow_logs()["FlowLogs"]
    assert [tag_map(one["Tags"])["Name"] for one in everything] == ["flow-other-refused"]


def test_a_flow_log_waits_for_its_vpc(vpc: Cloud) -> None:
    vpc.pending("flow_log", needs="no-vpc", **{**FLOW_LOG, "vpc": "no-vpc"})


def without(sid: str) -> dict[str, Any]:
    kept = [one for one in LOG_BUCKET["policy_statements"] if one["Sid"] != sid]
    assert len(kept) == len(LOG_BUCKET["policy_statements"]) - 1
    return {**LOG_BUCKET, "policy_statements": kept}


@pytest.mark.parametrize("sid", ["Write", "Look"])
def test_a_bucket_that_takes_no_logs_is_an_error_with_the_fix(
    vpc: Cloud, sid: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EC2 answers 200 and says beside it that it has made nothing."""
    monkeypatch.setattr(module.time, "sleep", lambda _: None)
    vpc.ok("bucket", **without(sid))
    failed = vpc.run("flow_log", **FLOW_LOG)
    assert (
        failed["failed"] and "Access Denied for LogDestination" in failed["msg"] and "Fix:" in failed["msg"]
    )
    assert flow_logs(vpc) == []


def test_a_bucket_that_is_not_there_is_an_error_with_the_fix(vpc: Cloud) -> None:
    failed = vpc.run("flow_log", **{**FLOW_LOG, "bucket": f"services-none-{ACCOUNT}"})
    assert failed["failed"] and "does not exist" in failed["msg"] and "Fix:" in failed["msg"]
