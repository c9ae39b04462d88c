"""The module sqs_queue: create, repair, remove; and that a call which failed for good arrives in it."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.modules import Act
from tests.support.services import Cloud
from tests.support.tasks import ACCOUNT, QUEUE, QUEUE_ARN, TAGS, allow, trust, zip_of

NAME = QUEUE["name"]


def attributes(cloud: Cloud) -> dict[str, str]:
    found = cloud.sqs.get_queue_attributes(QueueUrl=url(cloud), AttributeNames=["All"])["Attributes"]
    return dict(found)


def url(cloud: Cloud) -> str:
    return str(cloud.sqs.get_queue_url(QueueName=NAME)["QueueUrl"])


def put(**wanted: str) -> Act:
    return lambda cloud: cloud.sqs.set_queue_attributes(QueueUrl=url(cloud), Attributes=wanted)


def assert_queue(cloud: Cloud) -> None:
    found = attributes(cloud)
    assert (found["QueueArn"], found["MessageRetentionPeriod"]) == (QUEUE_ARN, str(14 * 86400))
    assert (found["SqsManagedSseEnabled"], found.get("KmsMasterKeyId", "")) == ("true", "")
    assert not found.get("Policy")
    assert cloud.sqs.list_queue_tags(QueueUrl=url(cloud))["Tags"] == TAGS


def test_a_queue_is_created(cloud: Cloud) -> None:
    cloud.sqs.create_queue(QueueName=f"{NAME}-of-another-name")
    cloud.converge("sqs_queue", **QUEUE)
    assert_queue(cloud)


EVERYBODY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": "*", "Action": "sqs:ReceiveMessage", "Resource": QUEUE_ARN}
        ],
    }
)
DRIFT: dict[str, Act] = {
    "forgets after a minute": put(MessageRetentionPeriod="60"),
    "not encrypted": put(SqsManagedSseEnabled="false"),
    "a key that is gone": put(SqsManagedSseEnabled="false", KmsMasterKeyId="alias/gone"),
    "everybody may read": put(Policy=EVERYBODY),
    "a tag is extra": lambda c: c.sqs.tag_queue(QueueUrl=url(c), Tags={"x": "y"}),
    "a tag is gone": lambda c: c.sqs.untag_queue(QueueUrl=url(c), TagKeys=["Project"]),
}


@pytest.mark.parametrize("drift", DRIFT)
def test_a_queue_is_repaired(cloud: Cloud, drift: str) -> None:
    cloud.ok("sqs_queue", **QUEUE)
    DRIFT[drift](cloud)
    cloud.converge("sqs_queue", **QUEUE)
    assert_queue(cloud)


def test_a_queue_goes(cloud: Cloud) -> None:
    cloud.ok("sqs_queue", **QUEUE)
    cloud.converge("sqs_queue", name=NAME, state="absent")
    with pytest.raises(ClientError, match="does not exist"):
        url(cloud)


def test_days_that_sqs_does_not_take_are_told_before_anything_is_made(cloud: Cloud) -> None:
    failed = cloud.run("sqs_queue", **{**QUEUE, "name": "services-wrong", "retention_days": 15})
    assert failed["failed"] and "15 days" in failed["msg"] and "Fix:" in failed["msg"]


def failing(package: Path, **more: Any) -> dict[str, Any]:
    """A task's arguments of a function that fails, and tells the queue."""
    return {
        "name": "services-failing",
        "zip": str(package),
        "handler": "app.handler",
        "runtime": "python3.13",
        "role": "services-failing-role",
        "asynchronous": {"max_retries": 0, "on_failure": QUEUE_ARN},
        **more,
    }


def test_a_call_that_failed_for_good_is_in_the_queue(cloud: Cloud, tmp_path: Path) -> None:
    package = tmp_path / "app.zip"
    package.write_bytes(zip_of("def handler(event, context):\n    raise SystemError('no warehouse')\n"))
    cloud.ok("sqs_queue", **QUEUE)
    role = {"name": "services-failing-role", "trust": trust("lambda.amazonaws.com")}
    cloud.ok("iam_role", **role, inline_policies={"tell": allow("sqs:SendMessage", QUEUE_ARN)})
    cloud.ok("lambda_function", **failing(package))
    cloud.functions.invoke(
        FunctionName="services-failing", InvocationType="Event", Payload=b'{"run": "hourly"}'
    )
    told: list[dict[str, Any]] = []
    end = time.monotonic() + 60
    while not told and time.monotonic() < end:
        told = cloud.sqs.receive_message(QueueUrl=url(cloud), WaitTimeSeconds=2).get("Messages", [])
    assert [json.loads(one["Body"])["requestPayload"] for one in told] == [{"run": "hourly"}]


@pytest.mark.parametrize(
    "policies",
    [{}, {"tell": allow("sqs:SendMessage", QUEUE_ARN.replace(NAME, "another"))}],
    ids=["no right", "another queue"],
)
def test_lambda_refuses_a_queue_that_the_role_may_not_send_to(
    cloud: Cloud, package: Path, policies: dict[str, Any]
) -> None:
    """AWS asks IAM when it is configured, and not when the first run fails."""
    cloud.ok("sqs_queue", **QUEUE)
    cloud.ok("lambda_function", name="services-failing", state="absent")
    role = {"name": "services-failing-role", "trust": trust("lambda.amazonaws.com")}
    cloud.ok("iam_role", **role, inline_policies=policies)
    with_none = {**failing(package), "asynchronous": {"max_retries": 0}}
    cloud.ok("lambda_function", **with_none)
    with pytest.raises(ClientError, match="permissions to call SendMessage on"):
        cloud.functions.put_function_event_invoke_config(
            FunctionName="services-failing", DestinationConfig={"OnFailure": {"Destination": QUEUE_ARN}}
        )


def test_a_boundary_without_the_right_is_no_right(cloud: Cloud, package: Path) -> None:
    cloud.ok("sqs_queue", **QUEUE)
    role = {"name": "services-failing-role", "trust": trust("lambda.amazonaws.com")}
    bound = cloud.iam.create_policy(
        PolicyName="services-no-queues", PolicyDocument=json.dumps(allow("s3:PutObject"))
    )["Policy"]["Arn"]
    assert ACCOUNT in bound
    cloud.ok(
        "iam_role",
        **role,
        inline_policies={"tell": allow("sqs:SendMessage", QUEUE_ARN)},
        permissions_boundary=bound,
    )
    cloud.ok("lambda_function", **{**failing(package), "asynchronous": {"max_retries": 0}})
    with pytest.raises(ClientError, match="permissions to call SendMessage on"):
        cloud.functions.put_function_event_invoke_config(
            FunctionName="services-failing", DestinationConfig={"OnFailure": {"Destination": QUEUE_ARN}}
        )
