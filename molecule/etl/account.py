"""Role etl: the function that loads stored events into the warehouse."""

from __future__ import annotations

import json

from tests.support.molecule.account import (
    ACCOUNT,
    ETL_GROUP,
    OF_ACCOUNT,
    PRIVATE,
    REGION,
    TAGS,
    client,
    make_network,
    make_role,
    permissions,
    the,
)

NAME = "SBW_Lamda_ETL"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/SBW_ETL_HOURLY_RULE"
QUEUE = "clickstream-etl-failed"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{QUEUE}"
MADE = ["Build the zip", f"log group /aws/lambda/{NAME}", f"queue {QUEUE}", f"Lambda function {NAME}"]
BROKEN = [
    f"queue {QUEUE}: encrypted, policy, retention_seconds",
    f"Lambda function {NAME}: asynchronous, configuration, permissions",
]


def prepare() -> None:
    """The role that the function assumes, and its place in the network."""
    make_role(f"{NAME}-role")
    policy = "arn:aws:iam::aws:policy/service-role/AWSLambdaVPCAccessExecutionRole"
    client("iam").attach_role_policy(RoleName=f"{NAME}-role", PolicyArn=policy)
    tell = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": QUEUE_ARN}
    client("iam").put_role_policy(
        RoleName=f"{NAME}-role",
        PolicyName="tell",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [tell]}),
    )
    make_network(groups=[ETL_GROUP])


def url() -> str:
    """The address of the queue of failed runs."""
    return str(client("sqs").get_queue_url(QueueName=QUEUE)["QueueUrl"])


def attributes() -> dict[str, str]:
    """The queue's attributes."""
    return dict(client("sqs").get_queue_attributes(QueueUrl=url(), AttributeNames=["All"])["Attributes"])


def verify() -> None:
    """In the private subnet; knows warehouse and bucket by name; the schedule alone calls it."""
    answer = client("lambda").get_function(FunctionName=NAME)
    function = answer["Configuration"]
    assert (function["Handler"], function["MemorySize"], function["Timeout"]) == (
        "etl.handler.handler",
        1024,
        900,
    )
    assert function["Role"] == f"arn:aws:iam::{ACCOUNT}:role/{NAME}-role"
    assert (
        function["Environment"]["Variables"].items()
        >= {
            "RAW_BUCKET": f"clickstream-s3-ingest{OF_ACCOUNT}",
            "DWH_HOST": "10.0.128.10",
            "DWH_PORT": "5432",
            "DWH_DATABASE": "clickstream_dw",
            "DWH_USER": "clickstream_loader",
            "DWH_PASSWORD_PARAMETER": "/clickstream/warehouse/loader_password",
            "DWH_CA_PARAMETER": "/clickstream/ca/certificate",
        }.items()
    )
    assert function["VpcConfig"]["SubnetIds"] == [the("subnets", name=PRIVATE)["SubnetId"]]
    assert function["VpcConfig"]["SecurityGroupIds"] == [
        the("security_groups", group_name=ETL_GROUP)["GroupId"]
    ]
    assert function["LoggingConfig"]["LogFormat"] == "JSON" and not function.get("Layers")
    assert answer["Tags"] == TAGS and "Concurrency" not in answer
    [(sid, schedule)] = permissions(NAME).items()
    assert (sid, schedule["Principal"]) == ("schedule", {"Service": "events.amazonaws.com"})
    assert RULE in json.dumps(schedule["Condition"])
    calls = client("lambda").get_function_event_invoke_config(FunctionName=NAME)
    assert (calls["MaximumRetryAttempts"], calls["MaximumEventAgeInSeconds"]) == (1, 3600)
    assert calls["DestinationConfig"]["OnFailure"] == {"Destination": QUEUE_ARN}
    queue = attributes()
    assert (queue["QueueArn"], queue["MessageRetentionPeriod"]) == (QUEUE_ARN, str(14 * 24 * 3600))
    assert queue["SqsManagedSseEnabled"] == "true" and not queue.get("Policy")
    [group] = client("logs").describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{NAME}")["logGroups"]
    assert group["retentionInDays"] == 30


def break_by_hand() -> None:
    """It is out of the VPC and gives up soon, the schedule may not call it, failed calls are
    tried longer and told nobody, and who was told is read by everybody and soon forgotten."""
    functions, by = client("lambda"), {"FunctionName": NAME}
    functions.update_function_configuration(
        **by, Timeout=3, VpcConfig={"SubnetIds": [], "SecurityGroupIds": []}
    )
    functions.remove_permission(**by, StatementId="schedule")
    functions.delete_function_event_invoke_config(**by)
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": QUEUE_ARN}
    client("sqs").set_queue_attributes(
        QueueUrl=url(),
        Attributes={
            "MessageRetentionPeriod": "60",
            "SqsManagedSseEnabled": "false",
            "Policy": json.dumps({"Version": "2012-10-17", "Statement": [everybody]}),
        },
    )
